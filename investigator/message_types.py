# SPDX-License-Identifier: GPL-3.0-or-later
"""The message types of `agents/`, and those that a worker consumes."""

import importlib
import pkgutil
from collections.abc import Mapping

import agents
from investigator.agent import MESSAGE_TYPES, MessageType
from investigator.settings import Settings


def load_message_types() -> Mapping[str, MessageType]:
    """Import every module of the package `agents`, and return the message types by base name."""
    for module in pkgutil.iter_modules(agents.__path__, "agents."):
        importlib.import_module(module.name)
    return MESSAGE_TYPES


def consumed_types(settings: Settings) -> list[MessageType]:
    """Return the message types that have work in the modes of the worker."""
    return [each for each in load_message_types().values() if each.has_work_in(settings.thoth_consumer_mode)]


def topics_by_base_name(settings: Settings) -> dict[str, str]:
    """Return the full name of each topic by its base name."""
    return {base_name: settings.topic(base_name) for base_name in load_message_types()}
