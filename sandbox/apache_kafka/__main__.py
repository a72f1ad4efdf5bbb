# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m sandbox.apache_kafka` fetches what an Apache Kafka broker needs; ends with 1 and why where it can't be.

With the argument `--check` nothing is fetched: it only tells whether it could be.
"""

import sys

from sandbox.apache_kafka.programs import UnavailableError, jars, why_unavailable


def _main() -> None:
    if reason := why_unavailable():
        sys.exit(reason)
    if "--check" in sys.argv[1:]:
        return
    try:
        print(f"Apache Kafka is in {jars()}")
    except UnavailableError as error:
        sys.exit(str(error))


_main()
