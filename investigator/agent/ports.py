# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocols of the services that handlers may use.

`investigator.services` builds the real implementations, the tests pass fakes, and mypy checks both against these. A
handler that needs another call of the cluster, the graph or an index adds it here, to the client behind it, and to the
fake in `tests/support/agent_fakes.py`.

Each call may raise TemporaryError (another attempt may succeed) or PermanentError (none would).
"""

from collections.abc import Iterable, Mapping
from typing import Protocol

from prometheus_client import Counter, Gauge

from investigator.argo.kinds import WorkflowKind
from investigator.delivery.origin import Origin


class Workflows(Protocol):
    """Schedules Argo workflows in the cluster."""

    async def schedule(  # noqa: PLR0913  (a message, the workflow it asks for, and how to name and trace that)
        self,
        kind: WorkflowKind,
        origin: Origin,
        *,
        base_name: str,
        arguments: Mapping[str, object],
        step: str = "",
        job_id: str | None = None,
        correlation_id: str | None = None,
    ) -> None:
        """Create a workflow; do nothing if an earlier delivery of the message, or a duplicate of it, did.

        Args:
            kind: the kind of workflow.
            origin: the position of the message that asks for it.
            base_name: the type of that message, for metrics, labels and annotations.
            arguments: the arguments of the kind's ``schedule_*`` method in thoth-common, without the id.
            step: distinguishes several workflows of one kind for the same message.
            job_id: the workflow's id, if the message brings one; otherwise it is derived from origin, kind and step.
            correlation_id: names the message in the logs of all components.

        Raises:
            PermanentError: no attempt can create the workflow, or one of that id belongs to another request.
            TemporaryError: the quick retries are exhausted; a later attempt may succeed.
        """

    async def solver_names(self) -> list[str]:
        """Return the names of the solvers that are installed in the cluster."""


class KnowledgeGraph(Protocol):
    """Reads and flags package versions in Thoth's knowledge graph. A package version belongs to one index."""

    async def registered_index_urls(self) -> list[str]:
        """Return the URLs of all package indexes in the graph, enabled or not."""

    async def enabled_index_urls(self) -> list[str]:
        """Return the URLs of the package indexes that are enabled."""

    async def registered_spelling(self, index_url: str) -> str:
        """Return the URL of an index as the graph spells it; the same URL if the index is not registered."""

    async def package_version_exists(self, name: str, version: str, index_url: str) -> bool:
        """Return whether any solver has solved the package version."""

    async def is_solved(self, name: str, version: str, index_url: str, solver: str) -> bool:
        """Return whether the named solver has solved the package version."""

    async def si_aggregated(self, name: str, version: str, index_url: str) -> bool:
        """Return whether the graph holds aggregated security indicators of the package version."""

    async def flag_package_missing(self, name: str, index_url: str) -> None:
        """Flag every known version of the package as missing on the index."""

    async def flag_version_missing(self, name: str, version: str, index_url: str) -> None:
        """Flag the package version as missing on the index."""

    async def set_provides_source_distro(self, name: str, version: str, index_url: str, *, value: bool) -> None:
        """Set whether the index has a source distribution of the package version."""

    async def mark_hashes_absent(self, name: str, version: str, index_url: str, hashes: Iterable[str]) -> None:
        """Mark artifacts of the package version, given by their SHA-256 hashes, as no longer present on the index."""


class PackageIndexes(Protocol):
    """Reads Python package indexes."""

    async def versions(self, index_url: str, name: str, specifier: str = "") -> list[str]:
        """Return the versions of a package that the index lists, latest first; none if the index has no such package.

        Args:
            index_url: the URL of the index.
            name: the name of the package.
            specifier: selects versions as pip does, for example ``>=2.25,<3``; empty for all.
        """


class HandlerSettings(Protocol):
    """The settings that handlers read; `docs/reference/configuration.md` describes each variable."""

    @property
    def thoth_deployment_name(self) -> str:
        """The prefix of the deployment's topics."""

    @property
    def thoth_investigator_schedule_solver(self) -> bool:
        """Whether solver workflows are scheduled."""

    @property
    def thoth_investigator_max_versions(self) -> int:
        """For how many versions of a package one message schedules solvers."""

    @property
    def thoth_investigator_schedule_revsolver(self) -> bool:
        """Whether reverse solver workflows are scheduled."""

    @property
    def thoth_investigator_schedule_security(self) -> bool:
        """Whether analyses of security indicators are scheduled."""

    @property
    def thoth_investigator_kebechet_administrator(self) -> bool:
        """Whether Kebechet's administrator is scheduled."""

    @property
    def thoth_log_solver(self) -> str:
        """The log level of solver workflows."""

    @property
    def thoth_log_revsolver(self) -> str:
        """The log level of reverse solver workflows."""


class HandlerMetrics(Protocol):
    """The metrics that handling a message writes; `docs/reference/metrics.md` describes each of them."""

    @property
    def message_count_by_version(self) -> Counter:
        """Messages by type and version; written for every message in metrics mode."""

    @property
    def missing_handler(self) -> Gauge:
        """Set to 1 for each version that no handler knows."""

    @property
    def unknown_versions(self) -> Counter:
        """Messages of a version that no handler knows."""

    @property
    def omitted_versions(self) -> Counter:
        """Versions of packages that a message selected beyond the limit for one message."""

    @property
    def thoth_advise_justification_type_number(self) -> Gauge:
        """How often advisers gave a justification."""
