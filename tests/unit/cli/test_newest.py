# SPDX-License-Identifier: GPL-3.0-or-later
from investigator.cli.newest import NewestN
from investigator.delivery.origin import Origin


def _add_all(newest: NewestN[str]) -> NewestN[str]:
    """Add five items partition by partition, in the order in which a topic is read."""
    for partition, timestamps in enumerate([(10, 40, 50), (20, 30)]):
        for offset, timestamp in enumerate(timestamps):
            newest.add(Origin("topic-dlt", partition, offset, timestamp), str(timestamp))
    return newest


def test_the_newest_items_are_retained_in_any_order_of_partitions() -> None:
    """An operator looks at the latest failures first."""
    assert _add_all(NewestN(3)).items() == ["30", "40", "50"]
    assert _add_all(NewestN(3)).heading("topic-dlt") == "topic-dlt: 5, the latest 3 of them"


def test_all_items_are_retained_without_a_limit() -> None:
    """They are sorted by time."""
    assert _add_all(NewestN(None)).items() == ["10", "20", "30", "40", "50"]
    assert _add_all(NewestN(None)).heading("topic-dlt") == "topic-dlt: 5"


def test_items_with_the_same_timestamp_are_all_retained() -> None:
    """Their positions decide the order; the items themselves are never compared."""
    newest = NewestN[object](None)
    for offset in range(3):
        newest.add(Origin("topic-dlt", 0, offset, 7), object())
    assert len(newest.items()) == 3
