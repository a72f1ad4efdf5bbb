# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m sandbox.apache_kafka` fetches what a broker of Apache Kafka needs, and says where it is.

Ends with status 1 and the reason where it can't be had here, with 2 where something else was fetched than should be.
"""

import sys

from sandbox.apache_kafka.programs import TamperedError, provide
from sandbox.broker import UnavailableError


def _main() -> int:
    try:
        print(f"Apache Kafka is in {provide()}")
    except UnavailableError as error:
        print(error)
        return 1
    except TamperedError as error:
        print(error)
        return 2
    return 0


sys.exit(_main())
