# SPDX-License-Identifier: GPL-3.0-or-later
"""The four scenarios, in the order in which they are played: what one leaves in the graph the next ones find there."""

from sandbox.play.advising import SELF_HEALING, USERS_AND_BOTS
from sandbox.play.learning import KNOWLEDGE_INCREASE, SELF_LEARNING
from sandbox.play.scenario import Scenario

__all__ = ["SCENARIOS"]

SCENARIOS: tuple[Scenario, ...] = (KNOWLEDGE_INCREASE, SELF_LEARNING, SELF_HEALING, USERS_AND_BOTS)
