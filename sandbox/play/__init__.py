# SPDX-License-Identifier: GPL-3.0-or-later
"""`make run`: the four scenarios that investigator is there for, played as closed loops in the embedded surroundings.

Actors send the first messages, investigator's workers schedule workflows in the cluster stand-in, and the stand-in runs
them: each does to the graph, and sends, what the real one does. The story goes on until every loop has closed.
"""
