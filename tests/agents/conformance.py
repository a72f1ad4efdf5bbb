# SPDX-License-Identifier: GPL-3.0-or-later
"""Every message type with its examples, and how the conformance tests handle them."""

import pytest

from investigator.agent import Unused
from investigator.agent.message import fields_of
from investigator.delivery.retry import Failure
from investigator.message_types import load_message_types
from tests.support.agent_fakes import FaultInjector
from tests.support.agent_harness import AgentHarness
from tests.support.examples import Example, load_examples

MESSAGE_TYPES = load_message_types()
EXAMPLES_BY_TYPE = load_examples()
EXAMPLES = [example for examples in EXAMPLES_BY_TYPE.values() for example in examples]
every_example = pytest.mark.parametrize("example", EXAMPLES, ids=str)


def fields_by_example(*kinds: object) -> list[tuple[Example, str]]:
    """Return every required field of every example's record, or only the fields of some kinds."""
    return [
        (example, field)
        for example in EXAMPLES
        for field, (of_kind, required) in fields_of(MESSAGE_TYPES[example.base_name].record).items()
        if required and (not kinds or of_kind in kinds) and of_kind is not Unused
    ]


async def handled(
    example: Example, faults: FaultInjector | None = None, *, attempts: int = 1, **other: object
) -> AgentHarness:
    """Handle an example, with other fields if given, in a new harness; all handlers must succeed."""
    harness = AgentHarness(faults)
    assert await harness.handle(example.base_name, example.fields | other, attempts=attempts) is None
    return harness


async def refused(example: Example, **other: object) -> Exception:
    """Return the error about an example with other fields; it must be permanent, and no service be called."""
    harness = AgentHarness()
    failure = await harness.handle(example.base_name, example.fields | other, attempts=5)
    assert isinstance(failure, Failure)
    assert (failure.attempts, harness.faults.calls) == (1, 0)
    return failure.error
