# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m sandbox` plays the story, see `sandbox.play`; ONCE=1 ends by itself, WORKERS=3 has so many workers act."""

import signal
import sys

if __name__ == "__main__":
    # Until there is anything to stop, Ctrl-C just ends the process, even in the middle of the imports that follow.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

    from sandbox.play.command import main

    sys.exit(main())
