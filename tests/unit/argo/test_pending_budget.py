# SPDX-License-Identifier: GPL-3.0-or-later
"""What a worker may create by what it knows."""

from investigator.argo.pending_budget import Budget


def test_what_ends_while_the_cluster_counts_may_not_be_in_the_count() -> None:
    """A workflow that was created after the cluster had looked still takes its place, until the next count."""
    budget = Budget(limit=5, interval=2.0)
    budget.admit(0.0)
    budget.begin_count(0.0)
    budget.finish(0.1, 0.0, created=True)
    budget.end_count(0.1, counted=3)
    assert budget.pending == 4
    budget.begin_count(2.1)
    budget.end_count(2.2, counted=4)
    assert budget.pending == 4


def counted(budget: Budget, now: float, pending: int) -> Budget:
    """Let the cluster be counted in a moment."""
    budget.begin_count(now)
    budget.end_count(now, pending)
    return budget


def create(budget: Budget, now: float, workers: int = 1) -> int:
    """Create as many workflows as there is room for; tell how many."""
    created = 0
    while budget.may_admit(now, workers):
        budget.admit(now)
        budget.finish(now, now, created=True)
        created += 1
    return created


def test_one_worker_takes_all_the_room() -> None:
    """As many as the limit may wait when one more is created; the next count goes on from there."""
    budget = counted(Budget(limit=9, interval=2.0), 0.0, 4)
    assert create(budget, 0.1) == 6
    assert create(counted(budget, 2.0, 7), 2.1) == 3


def test_workers_divide_the_room() -> None:
    """Each takes its share of what its count shows, and one where the shares are smaller than that."""
    assert [create(counted(Budget(limit=9, interval=2.0), 0.0, 0), 0.1, workers) for workers in (2, 3, 20)] == [5, 3, 1]


def test_what_others_may_not_have_seen_counts_twice() -> None:
    """A share that another worker has not used yet is still its own, though the next count shows room there."""
    early, late = Budget(limit=99, interval=2.0), Budget(limit=99, interval=2.0)
    counted(late, 0.1, 0)
    assert create(counted(early, 0.0, 0), 0.1, 2) == 50
    assert create(counted(early, 2.0, 50), 2.0, 2) == 1
    assert create(late, 2.05, 2) == 50


def test_what_all_have_counted_is_pending_like_any_other() -> None:
    """Two periods later the room is divided anew."""
    budget = counted(Budget(limit=99, interval=2.0), 0.0, 0)
    assert create(budget, 0.1, 2) == 50
    counted(budget, 2.0, 50)
    assert create(counted(budget, 4.0, 50), 4.1, 2) == 25


def test_after_a_rest_the_room_is_divided_anew() -> None:
    """What was created long ago, and has started since, takes nothing from the share."""
    budget = counted(Budget(limit=99, interval=2.0), 0.0, 0)
    create(budget, 0.1, 2)
    assert create(counted(budget, 60.0, 0), 60.1, 2) == 50


def test_a_share_ends_with_its_period() -> None:
    """An answer that came late gives one place and no more: the others may have taken theirs from a newer count."""
    budget = Budget(limit=99, interval=2.0)
    budget.begin_count(0.0)
    budget.end_count(3.0, 0)
    assert create(budget, 3.1, 2) == 1
    assert not budget.may_admit(4.0, 2)
    assert budget.next_count_at(4.0) == 5.0


def test_an_old_count_is_not_believed_while_the_next_one_is_under_way() -> None:
    """Between the question and its answer nobody knows how many there are."""
    budget = counted(Budget(limit=9, interval=2.0), 0.0, 0)
    budget.begin_count(2.0)
    assert (budget.pending, budget.may_admit(2.1)) == (None, False)


def test_the_next_count_waits_for_what_may_be_under_way_elsewhere() -> None:
    """What other workers began by an older count takes as long as our own did, or has taken up to now."""
    budget = Budget(limit=9, interval=2.0)
    budget.admit(0.0)
    budget.admit(3.0)
    budget.finish(5.0, 0.0, created=True)
    counted(budget, 6.0, 1)
    assert [budget.next_count_at(now, workers=2) for now in (6.0, 8.0, 11.0)] == [13.0, 13.0, 16.0]
    budget.finish(12.0, 3.0, created=True)
    assert budget.next_count_at(12.0, workers=2) == 17.0
    assert counted(budget, 17.0, 1).next_count_at(17.0, workers=2) == 28.0
    assert counted(budget, 28.0, 1).next_count_at(28.0, workers=2) == 30.0


def test_a_worker_alone_counts_every_period() -> None:
    """It knows of all creations that are under way."""
    budget = Budget(limit=9, interval=2.0)
    budget.admit(0.0)
    assert counted(budget, 6.0, 1).next_count_at(7.0) == 8.0
