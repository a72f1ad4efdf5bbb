# SPDX-License-Identifier: GPL-3.0-or-later
"""How many workflows a worker may create after a count."""

from investigator.argo.pending_budget import PendingBudget


def counted(budget: PendingBudget, now: float, pending: int) -> PendingBudget:
    """Record a count that takes no time."""
    budget.begin_count(now)
    budget.end_count(now, pending)
    return budget


def create(budget: PendingBudget, now: float, members: int = 1) -> int:
    """Create as many workflows as the budget allows, and return their number."""
    created = 0
    while budget.may_admit(now, members):
        budget.admit(now)
        budget.finish(now, now, created=True)
        created += 1
    return created


def test_a_creation_that_ends_during_a_count_is_added_to_its_result() -> None:
    """The cluster may have counted before it created the workflow; the next count includes it certainly."""
    budget = PendingBudget(limit=5, interval=2.0)
    budget.admit(0.0)
    budget.begin_count(0.0)
    budget.finish(0.1, 0.0, created=True)
    budget.end_count(0.1, counted=3)
    assert budget.pending == 4
    budget.begin_count(2.1)
    budget.end_count(2.2, counted=4)
    assert budget.pending == 4


def test_a_single_worker_uses_the_whole_free_capacity() -> None:
    """The number of pending workflows before a creation may be equal to the limit; the next count continues there."""
    budget = counted(PendingBudget(limit=9, interval=2.0), 0.0, 4)
    assert create(budget, 0.1) == 6
    assert create(counted(budget, 2.0, 7), 2.1) == 3


def test_workers_share_the_free_capacity() -> None:
    """Each worker may create its share of the free capacity, and one workflow if the share is smaller than that."""
    budgets = {members: counted(PendingBudget(limit=9, interval=2.0), 0.0, 0) for members in (2, 3, 20)}
    assert [create(budget, 0.1, members) for members, budget in budgets.items()] == [5, 3, 1]


def test_a_workers_recent_creations_reduce_its_next_share() -> None:
    """Another worker may not have used its share yet: the free capacity in the next count still belongs to it."""
    early, late = PendingBudget(limit=99, interval=2.0), PendingBudget(limit=99, interval=2.0)
    counted(late, 0.1, 0)
    assert create(counted(early, 0.0, 0), 0.1, 2) == 50
    assert create(counted(early, 2.0, 50), 2.0, 2) == 1
    assert create(late, 2.05, 2) == 50


def test_creations_that_all_workers_have_counted_reduce_no_share() -> None:
    """After two intervals, the workers share the free capacity again."""
    budget = counted(PendingBudget(limit=99, interval=2.0), 0.0, 0)
    assert create(budget, 0.1, 2) == 50
    counted(budget, 2.0, 50)
    assert create(counted(budget, 4.0, 50), 4.1, 2) == 25


def test_creations_of_long_ago_reduce_no_share_after_an_idle_time() -> None:
    """Without any count in between, all workers must have counted them."""
    budget = counted(PendingBudget(limit=99, interval=2.0), 0.0, 0)
    create(budget, 0.1, 2)
    assert create(counted(budget, 60.0, 0), 60.1, 2) == 50


def test_a_share_expires_one_interval_after_its_count_began() -> None:
    """A late response allows one creation only: other workers may have used their shares of a newer count."""
    budget = PendingBudget(limit=99, interval=2.0)
    budget.begin_count(0.0)
    budget.end_count(3.0, 0)
    assert create(budget, 3.1, 2) == 1
    assert not budget.may_admit(4.0, 2)
    assert budget.next_count_at(4.0) == 5.0


def test_nothing_is_admitted_while_a_count_is_in_progress() -> None:
    """The previous count has expired, and the next one has no result yet."""
    budget = counted(PendingBudget(limit=9, interval=2.0), 0.0, 0)
    budget.begin_count(2.0)
    assert (budget.pending, budget.may_admit(2.1)) == (None, False)


def test_the_next_count_waits_for_creations_that_other_workers_may_have_in_progress() -> None:
    """Their creations are assumed to take as long as the slowest own one, one in progress included."""
    budget = PendingBudget(limit=9, interval=2.0)
    budget.admit(0.0)
    budget.admit(3.0)
    budget.finish(5.0, 0.0, created=True)
    counted(budget, 6.0, 1)
    assert [budget.next_count_at(now, members=2) for now in (6.0, 8.0, 11.0)] == [13.0, 13.0, 16.0]
    budget.finish(12.0, 3.0, created=True)
    assert budget.next_count_at(12.0, members=2) == 17.0
    assert counted(budget, 17.0, 1).next_count_at(17.0, members=2) == 28.0
    assert counted(budget, 28.0, 1).next_count_at(28.0, members=2) == 30.0


def test_a_single_worker_counts_every_interval() -> None:
    """It knows all creations in progress."""
    budget = PendingBudget(limit=9, interval=2.0)
    budget.admit(0.0)
    assert counted(budget, 6.0, 1).next_count_at(7.0) == 8.0
