# SPDX-License-Identifier: GPL-3.0-or-later
"""The effects of messages, with their times: workflows that the cluster created, and flags in the knowledge graph."""

from collections import defaultdict

from sandbox.cluster import SOLVERS
from sandbox.fault_matrix.streams import number_in
from sandbox.fault_matrix.surroundings import Surroundings
from sandbox.graph_seed import PYPI
from sandbox.workflow_store import CreatedWorkflow

__all__ = ["Effects", "seed_versions"]

_RECORD_FLAGS = """
    CREATE TABLE flagged (package_name text PRIMARY KEY, at double precision);
    CREATE FUNCTION record_flag() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO flagged VALUES (NEW.package_name, extract(epoch FROM clock_timestamp())) ON CONFLICT DO NOTHING;
        RETURN NULL;
    END $$;
    CREATE TRIGGER record_flag AFTER UPDATE OF provides_source_distro ON python_package_version
        FOR EACH ROW EXECUTE FUNCTION record_flag();
"""
_COMMIT_SECONDS = 30.0  # a flag appears this long after its time at the latest
_COLUMNS = "package_version, os_name, os_version, python_version, entity_id, python_package_index_id, is_missing"
_SEED = f"""
    INSERT INTO python_package_version (package_name, provides_source_distro, {_COLUMNS})
    SELECT 'm' || lpad(number::text, 7, '0'), true, {_COLUMNS}
    FROM python_package_version, generate_series(0, %s) AS number WHERE package_name = 'every-number'
"""  # noqa: S608 - names from this module, not from input


def seed_versions(parts: Surroundings, messages: int) -> None:
    """Store a package version for each number of a message, and let the database record when it is flagged."""
    parts.sandbox.seed.solved("every-number", "1.0", PYPI, SOLVERS[0])
    parts.sandbox.database.execute(_SEED, messages)
    parts.sandbox.database.execute(_RECORD_FLAGS)


class Effects:
    """The effects so far, by the number of the message; `update` reads the new ones.

    Attributes:
        repeated: the numbers of messages that led twice to the same workflow, once for each repetition.
    """

    def __init__(self, parts: Surroundings) -> None:
        self._parts = parts
        self._workflows_read = 0
        self._flags_read = 0.0  # a time
        self._times: defaultdict[int, dict[str, float]] = defaultdict(dict)
        self.repeated: list[int] = []

    def times(self, number: int) -> list[float]:
        """Return the times, in seconds since the epoch, of the distinct effects of a message, sorted."""
        return sorted(self._times[number].values())

    def update(self) -> None:
        """Read the workflows that were created, and the flags that were set, since the last call."""
        created = self._parts.sandbox.cluster.store.created
        for workflow in created[self._workflows_read :]:
            self._workflows_read += 1
            self._add_workflow(workflow)
        for name, at in self._parts.sandbox.database.execute("SELECT * FROM flagged WHERE at >= %s", self._flags_read):
            self._times[number_in(name) or 0]["flag"] = at
            self._flags_read = max(self._flags_read, at - _COMMIT_SECONDS)

    def _add_workflow(self, workflow: CreatedWorkflow) -> None:
        number = number_in(" ".join(filter(None, workflow.parameters.values())))
        if number is None:
            return
        effect = f"{workflow.kind} {workflow.parameters.get('THOTH_SOLVER_NAME')}"
        if effect in self._times[number]:
            self.repeated.append(number)
        self._times[number].setdefault(effect, workflow.created)
