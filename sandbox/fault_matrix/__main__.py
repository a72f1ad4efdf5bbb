# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the fault matrix: `python -m sandbox.fault_matrix [--quick] [--seed NUMBER] [WORD...]`.

The words select the faults whose name contains one of them. The exit status is 0 if every expectation holds.
"""

import argparse
import random
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from sandbox.broker import broker_of_environment
from sandbox.fault_matrix.rows import ROWS, Row, selected
from sandbox.fault_matrix.run import ENVIRONMENT, Extent, FaultMatrix
from sandbox.fault_matrix.surroundings import surroundings
from sandbox.fault_matrix.table import HEADING, line
from sandbox.fault_matrix.traffic import Traffic
from sandbox.fault_matrix.verdict import violations
from sandbox.postgres import PostgresServer

_QUICK = Extent(normal=4.0, longest_fault=6.0)


@contextmanager
def _matrix(seed: int, extent: Extent) -> Iterator[FaultMatrix]:
    deployment = f"faults-{seed}-{secrets.token_hex(4)}"  # a broker that runs already may have topics of other runs
    with ExitStack() as parts:
        broker, postgres = parts.enter_context(broker_of_environment()), parts.enter_context(PostgresServer())
        servers = parts.enter_context(surroundings(broker, postgres, deployment))
        traffic = parts.enter_context(Traffic(servers))
        workers = [servers.sandbox.worker(servers.environment(**ENVIRONMENT)) for _ in range(2)]
        for worker in workers:
            parts.enter_context(worker)
        matrix = FaultMatrix(servers, workers, traffic, seed=seed, extent=extent)
        matrix.warm_up()
        yield matrix


def _measure_all(matrix: FaultMatrix, rows: list[Row]) -> Mapping[str, list[str]]:
    print(HEADING, flush=True)
    problems = {}
    for row in rows:
        measured = matrix.measure(row)
        problems[row.name] = violations(row.expected, measured)
        print(line(row, measured, problems[row.name]), flush=True)
    return {name: texts for name, texts in problems.items() if texts}


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.fault_matrix", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short faults: a first impression, not a measurement")
    parser.add_argument("--seed", type=int, default=None, help="repeat the order and the random phases of another run")
    parser.add_argument("words", nargs="*", metavar="WORD", help="measure the faults whose name contains a word")
    options = parser.parse_args()
    if not (rows := selected(options.words)):
        parser.error(f"no fault has such a name; there are {', '.join(row.name for row in ROWS)}")
    seed = secrets.randbelow(10**6) if options.seed is None else options.seed
    random.Random(seed).shuffle(rows)  # noqa: S311 - a repeatable sequence
    print(f"Fault matrix of {len(rows)} faults with SEED={seed}", flush=True)
    with _matrix(seed, _QUICK if options.quick else Extent()) as matrix:
        failed = _measure_all(matrix, rows)
    for name, problems in failed.items():
        print(f"{name}: {'; '.join(problems)}")
    print(f"{f'FAILED: {len(failed)} faults' if failed else 'PASSED'}: SEED={seed}")
    sys.exit(bool(failed))


if __name__ == "__main__":
    _main()
