# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes label selectors: `a=b`, `a!=b`, `a in (b,c)`, `a notin (b,c)`, `a`, `!a`, separated by commas."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.statuses import bad_request

__all__ = ["Requirement", "matches", "parse_selector"]

_COMMAS_OUTSIDE_PARENTHESES = re.compile(r",(?![^(]*\))")
_REQUIREMENT = re.compile(
    r"""\s*(?:
        (?P<absent>!)?\s*(?P<key>[A-Za-z0-9][\w./-]*)\s*
        (?: (?P<equality>==|=|!=)\s*(?P<value>[\w.-]*) | (?P<set>in|notin)\s*\((?P<values>[^()]*)\) )?
    )\s*""",
    re.VERBOSE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement of a selector; the value None stands for an absent label."""

    key: str
    values: frozenset[str | None]
    negated: bool  # True: the label must have none of the values; False: it must have one of them

    def accepts(self, value: str | None) -> bool:
        """Return whether a label with that value satisfies the requirement; None stands for an absent label."""
        return (value in self.values) is not self.negated


def parse_selector(text: str) -> tuple[Requirement, ...]:
    """Return the requirements of a label selector; raises a Refusal with status 400 if it is malformed."""
    if not text.strip():
        return ()
    return tuple(_parse_requirement(part) for part in _COMMAS_OUTSIDE_PARENTHESES.split(text))


def matches(selector: tuple[Requirement, ...], labels: Mapping[str, str]) -> bool:
    """Return whether the labels satisfy all requirements."""
    return all(requirement.accepts(labels.get(requirement.key)) for requirement in selector)


def _parse_requirement(text: str) -> Requirement:
    found = _REQUIREMENT.fullmatch(text)
    if found is None or (found["absent"] and (found["equality"] or found["set"])):
        message = f"unable to parse requirement: found {text!r}"
        raise bad_request(message)
    key = found["key"]
    if found["equality"]:
        return Requirement(key, frozenset({found["value"]}), negated=found["equality"] == "!=")
    if found["set"]:
        values = frozenset[str | None](value.strip() for value in found["values"].split(","))
        return Requirement(key, values, negated=found["set"] == "notin")
    return Requirement(key, frozenset({None}), negated=not found["absent"])
