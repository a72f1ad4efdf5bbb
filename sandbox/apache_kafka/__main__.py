# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetch the jars of Apache Kafka and print their folder: `python -m sandbox.apache_kafka`.

The exit status is 3, with the reason, if this machine cannot fetch or run them. It is 2 if their checksums are wrong.
"""

import sys

from sandbox.apache_kafka.programs import TamperedError, provide
from sandbox.broker import UnavailableError

# Both differ from 1, Python's status after an exception, so that CI never skips tests because of an exception.
_TAMPERED, _UNAVAILABLE = 2, 3


def _main() -> int:
    try:
        print(f"The jars of Apache Kafka are in {provide()}")
    except UnavailableError as error:
        print(error)
        return _UNAVAILABLE
    except TamperedError as error:
        print(error)
        return _TAMPERED
    return 0


sys.exit(_main())
