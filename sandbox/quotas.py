# SPDX-License-Identifier: GPL-3.0-or-later
"""A quota of the workflows in a namespace, as the object counts of Kubernetes' ResourceQuota."""

from dataclasses import dataclass

from sandbox.statuses import Refusal

__all__ = ["Quota"]

_RESOURCE = "count/workflows.argoproj.io"


@dataclass(frozen=True, slots=True)
class Quota:
    """At most ``hard`` workflows may exist in a namespace, finished ones included."""

    hard: int
    name: str = "object-counts"

    def check(self, workflow: str, used: int) -> None:
        """Raise a Refusal with status 403 if there are ``used`` workflows and no room for another one."""
        if used >= self.hard:
            raise self._exceeded(workflow, used)

    def _exceeded(self, workflow: str, used: int) -> Refusal:
        numbers = f"requested: {_RESOURCE}=1, used: {_RESOURCE}={used}, limited: {_RESOURCE}={self.hard}"
        message = f'workflows.argoproj.io "{workflow}" is forbidden: exceeded quota: {self.name}, {numbers}'
        return Refusal(403, "Forbidden", message, name=workflow, group="argoproj.io", kind="workflows")
