# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the scenarios of `sandbox.play`: `python -m sandbox`.

With ONCE=1 the program ends after the scenarios; WORKERS=3 starts three workers.
"""

import signal
import sys

if __name__ == "__main__":
    # Until there is a process to stop, Ctrl-C ends the program at once, even during the imports below.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

    from sandbox.play.command import main

    sys.exit(main())
