# SPDX-License-Identifier: GPL-3.0-or-later
"""The four scenarios in the order in which they run: each one builds on what the earlier ones left in the graph."""

from sandbox.play.advising import SELF_HEALING, USERS_AND_BOTS
from sandbox.play.learning import KNOWLEDGE_INCREASE, SELF_LEARNING
from sandbox.play.scenario import Scenario

__all__ = ["SCENARIOS"]

SCENARIOS: tuple[Scenario, ...] = (KNOWLEDGE_INCREASE, SELF_LEARNING, SELF_HEALING, USERS_AND_BOTS)
