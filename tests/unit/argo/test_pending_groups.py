# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups of workers that share a namespace divide its limit; all in virtual time."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.pending_namespace import Namespace, create_in_bursts
from tests.support.virtual_time import run_in_virtual_time


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 60), st.lists(st.integers(1, 4), min_size=2, max_size=3), st.booleans())
def test_groups_of_any_size_exceed_the_limit_by_at_most_one_for_each_worker(
    seed: int,
    limit: int,
    sizes: list[int],
    starts: bool,  # noqa: FBT001 - whether workflows start at all
) -> None:
    """Each worker knows the members of its own group and the number of groups."""
    chance = random.Random(seed)  # noqa: S311 - reproducible, guards nothing
    latency, creation = (chance.choice([0.001, 0.02, 0.3, 5.0]) for _ in range(2))
    namespace = Namespace(limit, latency, creation, starts_after=3.0 if starts else 1000.0)
    limiters = [namespace.limiter(members=size * len(sizes)) for size in sizes for _ in range(size)]
    run_in_virtual_time(create_in_bursts(namespace, limiters, 2 * limit + 2, chance))
    assert all(pending < limit + sum(sizes) for pending in namespace.created_at_pending)
