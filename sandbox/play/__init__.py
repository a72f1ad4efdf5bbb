# SPDX-License-Identifier: GPL-3.0-or-later
"""`make run`: Thoth's four scenarios as closed loops, on embedded servers and with real workers.

The runner sends the first messages of a scenario in the name of Thoth's producers. Workers of investigator then
schedule workflows in the cluster stand-in. Each workflow is simulated: it changes the knowledge graph and sends
messages as the real one does. A scenario ends when its loop is closed: exactly the expected messages, workflows and
flags are there.
"""
