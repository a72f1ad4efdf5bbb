# SPDX-License-Identifier: GPL-3.0-or-later
from investigator.cli.newest import NewestN
from investigator.delivery.origin import Origin


def _add_all(latest: NewestN[str]) -> NewestN[str]:
    """Add five, partition after partition, as a topic is read."""
    for partition, moments in enumerate([(10, 40, 50), (20, 30)]):
        for offset, moment in enumerate(moments):
            latest.add(Origin("topic-dlt", partition, offset, moment), str(moment))
    return latest


def test_the_latest_are_kept_whatever_partition_is_read_last() -> None:
    """What an operator asks for first is what happened last."""
    assert _add_all(NewestN(3)).items() == ["30", "40", "50"]
    assert _add_all(NewestN(3)).heading("topic-dlt") == "topic-dlt: 5, the latest 3 of them"


def test_all_are_kept_where_there_is_no_limit() -> None:
    """In the order in which they were given up."""
    assert _add_all(NewestN(None)).items() == ["10", "20", "30", "40", "50"]
    assert _add_all(NewestN(None)).heading("topic-dlt") == "topic-dlt: 5"


def test_what_was_given_up_in_the_same_moment_is_told_apart() -> None:
    """By its place; the items themselves are never compared."""
    latest = NewestN[object](None)
    for offset in range(3):
        latest.add(Origin("topic-dlt", 0, offset, 7), object())
    assert len(latest.items()) == 3
