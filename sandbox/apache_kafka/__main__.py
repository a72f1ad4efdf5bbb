# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m sandbox.apache_kafka` fetches what a broker of Apache Kafka needs, and says where it is.

Ends with status 3 and the reason where it can't be had here, with 2 where something else was fetched than should be.
"""

import sys

from sandbox.apache_kafka.programs import TamperedError, provide
from sandbox.broker import UnavailableError

# Neither of them is what Python itself ends with after an error: nobody is to take that for a reason to skip something.
_TAMPERED, _NOT_HERE = 2, 3


def _main() -> int:
    try:
        print(f"Apache Kafka is in {provide()}")
    except UnavailableError as error:
        print(error)
        return _NOT_HERE
    except TamperedError as error:
        print(error)
        return _TAMPERED
    return 0


sys.exit(_main())
