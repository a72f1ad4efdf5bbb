# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds in every sequence of outages, whatever they concern; in virtual time."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from investigator.delivery.errors import UnavailableError
from investigator.resilience.breaker_group import BreakerGroup, PatienceExhaustedError
from investigator.resilience.breaker_policy import BreakerPolicy
from tests.support.virtual_time import run_in_virtual_time

OPERATIONS = ("create", "process", "count")
POLICY = BreakerPolicy(patience=30.0)

#: Operations that fail from one time to another.
Outage = tuple[frozenset[str], float, float]
OUTAGES = st.lists(
    st.tuples(st.frozensets(st.sampled_from(OPERATIONS), min_size=1), st.floats(0, 60), st.floats(1, 50)),
    max_size=3,
)


@dataclass
class World:
    """A dependency with outages, and messages that call it: each operation once a second."""

    outages: list[Outage]
    breaker: BreakerGroup = field(default_factory=lambda: BreakerGroup("cluster", POLICY))
    running: Counter[str] = field(default_factory=Counter)
    ends: list[tuple[str, float, float, bool]] = field(default_factory=list)
    probes_at_once: int = 0

    def fails(self, operation: str) -> bool:
        """Return whether the operation fails now."""
        now = asyncio.get_running_loop().time()
        return any(operation in names and begin <= now < begin + long for names, begin, long in self.outages)

    async def answer(self, operation: str) -> None:
        """Answer a call after 10 ms."""
        held_back = operation in {each.operation for each in self.breaker.view.operations}
        self.running[operation] += held_back
        self.probes_at_once = max(self.probes_at_once, self.running[operation])
        await asyncio.sleep(0.01)
        self.running[operation] -= held_back
        if self.fails(operation):
            raise UnavailableError("503")

    async def message(self, number: int, operation: str) -> None:
        """Call like `Calls`: a lone failure opens the breaker at once."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while True:
            try:
                await self.breaker.call(lambda: self.answer(operation), operation=operation, message_key=number)
            except UnavailableError as error:
                self.breaker.open(operation, error, loop.time())
            except PatienceExhaustedError:
                self.ends.append((operation, began, loop.time(), False))
                return
            else:
                self.ends.append((operation, began, loop.time(), True))
                return

    async def run(self) -> None:
        """Send messages for two minutes, then wait for all of them."""
        tasks = []
        for second in range(120):
            tasks += [asyncio.create_task(self.message(second, operation)) for operation in OPERATIONS]
            await asyncio.sleep(1)
        await asyncio.wait_for(asyncio.gather(*tasks), 60)


def run(outages: list[Outage]) -> World:
    """Run the world with these outages."""
    world = World(outages)
    run_in_virtual_time(world.run())
    return world


@settings(max_examples=12, deadline=None)
@given(OUTAGES)
def test_no_waiting_call_is_forgotten_and_one_at_a_time_probes(outages: list[Outage]) -> None:
    """Every message ends, within the longest interval between two probes after its outage."""
    world = run(outages)
    assert len(world.ends) == 120 * len(OPERATIONS)
    assert world.breaker.view.waiting == 0
    assert world.breaker.view.operations == ()
    assert world.probes_at_once <= 1


@settings(max_examples=12, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 60), st.floats(1, 50)), max_size=3))
def test_an_outage_of_everything_uses_no_attempt(times: list[tuple[float, float]]) -> None:
    """However long it lasts and however often it comes back."""
    world = run([(frozenset(OPERATIONS), begin, long) for begin, long in times])
    assert all(succeeded for *_, succeeded in world.ends)


@settings(max_examples=12, deadline=None)
@given(OUTAGES)
def test_an_operation_that_never_fails_is_never_delayed(outages: list[Outage]) -> None:
    """Whatever the others do: if they fail together, its first call shows that the dependency is available."""
    world = run([(names - {"count"}, begin, long) for names, begin, long in outages])
    delays = [end - began for operation, began, end, _ in world.ends if operation == "count"]
    assert max(delays) < 0.05
