# SPDX-License-Identifier: GPL-3.0-or-later
"""Counters and gauges whose labels hold texts of messages: the number and the length of their values are limited.

Each new text is a new time series, which every scrape sends and Prometheus stores. A producer must not be able to make
them without limit.
"""

from collections.abc import Callable
from typing import Any, ClassVar

from prometheus_client import Counter, Gauge
from prometheus_client.metrics import MetricWrapperBase
from typing_extensions import Self

from investigator.observability.redaction import cut

#: The value of the label of all texts beyond the limit.
OTHER = "other"

_MAX_CHARACTERS = 200


class _Capped(MetricWrapperBase):
    """Replaces the texts of messages in its labels by `other`, once it has `max_series` series.

    Attributes:
        texts: the labels that hold texts of messages.
        max_series: how many series may have such texts.
    """

    texts: ClassVar[frozenset[str]] = frozenset({"message_version", "advise_message", "justification_type"})
    max_series: ClassVar[int] = 500

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  those of prometheus_client
        super().__init__(*args, **options)
        self._series: set[tuple[tuple[str, str], ...]] = set()
        self._on_other: Callable[[], None] = lambda: None

    def report_to(self, on_other: Callable[[], None]) -> None:
        """Call a function for each use of `other`."""
        self._on_other = on_other

    def labels(self, *values: Any, **named: Any) -> Self:  # noqa: ANN401  those of prometheus_client
        """Return the series of the labels, or that of `other`."""
        wanted = dict(zip(self._labelnames, map(str, values), strict=False)) | {k: str(v) for k, v in named.items()}
        return super().labels(**self._limited(wanted))

    def _limited(self, wanted: dict[str, str]) -> dict[str, str]:
        short = {name: cut(text, _MAX_CHARACTERS) if name in self.texts else text for name, text in wanted.items()}
        series = tuple(sorted(short.items()))
        if series not in self._series and len(self._series) >= self.max_series:
            self._on_other()
            return {name: OTHER if name in self.texts else text for name, text in short.items()}
        self._series.add(series)
        return short


class CappedCounter(_Capped, Counter):
    """A counter with a limited number of series."""


class CappedGauge(_Capped, Gauge):
    """A gauge with a limited number of series."""
