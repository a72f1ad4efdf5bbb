# SPDX-License-Identifier: GPL-3.0-or-later
"""Which messages count as replays: those that the replay command wrote, and no others."""

import logging
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from investigator.delivery.dead_letters import PROOF, REPLAYED_FOR, REPLAYS, Headers, origin_of_replay
from investigator.delivery.origin import Origin
from investigator.delivery.replay import is_addressed_to
from investigator.delivery.replay_proof import Record, ReplayGuard, ReplayProof

TOPIC = "stage.thoth.repo-init"
KEY = "a key of the deployment, 32 characters"
NEW = Origin(TOPIC, 0, 99, 1_700_000_200_000)
CLAIMS = (REPLAYS, REPLAYED_FOR, PROOF)
NAMES = ("topic", "partition", "offset", "timestamp", "timestamp-type", "consumer-group")
ORIGINAL: Headers = tuple(
    zip(
        (f"kafka_dlt-original-{name}" for name in NAMES),
        (TOPIC.encode(), bytes(4), bytes(7) + b"\x07", bytes(8), b"CreateTime", b"backend"),
        strict=True,
    )
)
REPLAY: Headers = (("trace-id", b"1"), *ORIGINAL, (REPLAYS, b"\x00\x00\x00\x01"), (REPLAYED_FOR, b"backend"))
UNPROVED = Record(TOPIC, b"key", b"{}", REPLAY)


def _proved(record: Record, key: str = KEY) -> Record:
    return replace(record, headers=(*record.headers, *ReplayProof(key).header(record)))


PROVED = _proved(UNPROVED)


def _with(record: Record, *headers: tuple[str, bytes | None]) -> Record:
    return replace(record, headers=(*record.headers, *headers))


def _without(record: Record, name: str) -> Record:
    return replace(record, headers=tuple(header for header in record.headers if header[0] != name))


def _changed(record: Record, name: str, content: bytes | None) -> Record:
    return replace(record, headers=tuple((each, content if each == name else old) for each, old in record.headers))


FORGED = {
    "no proof": UNPROVED,
    "an empty proof": _with(UNPROVED, (PROOF, b"")),
    "a proof without a value": _with(UNPROVED, (PROOF, None)),
    "a proof that is not UTF-8": _with(UNPROVED, (PROOF, b"\xff" * 32)),
    "a proof by another key": _proved(UNPROVED, KEY[::-1]),
    "a proof for another topic": replace(PROVED, topic=f"{TOPIC}-2"),
    "an origin in another topic": _proved(_changed(UNPROVED, "kafka_dlt-original-topic", b"stage.thoth.other")),
    "an origin that is not UTF-8": _proved(_changed(UNPROVED, "kafka_dlt-original-topic", b"\xff")),
    "another value": replace(PROVED, value=b"{ }"),
    "no value": replace(PROVED, value=None),
    "another key": replace(PROVED, key=None),
    "a doubled proof": _with(PROVED, PROVED.headers[-1]),
    "two proofs, the last one valid": replace(PROVED, headers=((PROOF, b"\x00" * 32), *PROVED.headers)),
    "parts that moved from the key to the value": replace(PROVED, key=b"k", value=b"ey{}"),
    **{f"a doubled {name}": _with(PROVED, (name, content)) for name, content in REPLAY[1:]},
    **{f"no {name}": _without(PROVED, name) for name, _ in REPLAY[1:]},
    **{f"another {name}": _changed(PROVED, name, (content or b"")[:-1] + b"\xfe") for name, content in REPLAY[1:]},
}


class _Guarded:
    """A guard, and what it counted."""

    def __init__(self, key: str | None = KEY) -> None:
        self.counted: Counter[str] = Counter()
        self.guard = ReplayGuard(ReplayProof(key), lambda topic: self.counted.update([topic]))

    def trusted(self, record: Record, topic: str = "thoth.repo-init") -> Headers:
        return self.guard.trusted_headers(topic, NEW, record)


def test_a_proved_replay_keeps_all_of_its_headers() -> None:
    """Its origin and its addressee follow from them."""
    guarded = _Guarded()
    assert guarded.trusted(PROVED) == PROVED.headers
    assert not guarded.counted


@pytest.mark.parametrize("kind", FORGED)
def test_a_forged_replay_is_a_message_of_its_own(kind: str) -> None:
    """It takes no identity and no addressee from its headers, and is counted."""
    guarded = _Guarded()
    trusted = guarded.trusted(FORGED[kind])
    assert trusted == tuple(header for header in FORGED[kind].headers if header[0] not in CLAIMS)
    assert origin_of_replay(trusted) is None
    assert is_addressed_to("any", trusted)
    assert guarded.counted == {"thoth.repo-init": 1}


@pytest.mark.parametrize("record", [PROVED, UNPROVED, Record(TOPIC, None, b"{}", ((REPLAYED_FOR, b"nobody"),))])
def test_without_a_key_nothing_is_a_replay(record: Record) -> None:
    """A proof that no one can check is none."""
    guarded = _Guarded(None)
    assert PROOF not in dict(guarded.trusted(record))
    assert REPLAYED_FOR not in dict(guarded.trusted(record))
    assert guarded.counted == {"thoth.repo-init": 2}


def test_without_a_key_no_proof_is_written() -> None:
    """The message is sent nevertheless."""
    assert ReplayProof(None).header(UNPROVED) == ()


def test_an_origin_without_a_claim_to_be_a_replay_is_a_header_like_any_other() -> None:
    """Other programs write such headers too, and a dead letter has all headers of its message."""
    guarded = _Guarded()
    assert guarded.trusted(Record(TOPIC, None, None, ORIGINAL)) == ORIGINAL
    assert not guarded.counted


def test_the_first_unproved_replay_of_each_topic_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A producer can send any number of them; the counter has them all."""
    guarded = _Guarded()
    with caplog.at_level(logging.WARNING):
        for topic in ("thoth.repo-init", "thoth.repo-init", "thoth.adviser-trigger"):
            guarded.trusted(UNPROVED, topic)
    assert [record.getMessage().count("problem=no proof") for record in caplog.records] == [1, 1]
    assert str(NEW) in caplog.text
    assert KEY not in caplog.text


_OPTIONAL = st.none() | st.binary(max_size=9)
_HEADERS = st.lists(
    st.tuples(st.sampled_from([name for name, _ in PROVED.headers]) | st.text(max_size=9), _OPTIONAL), max_size=6
).map(tuple)


@given(topic=st.text(max_size=9), key=_OPTIONAL, value=_OPTIONAL, headers=_HEADERS)
def test_no_headers_of_a_producer_make_a_replay(
    topic: str, key: bytes | None, value: bytes | None, headers: Headers
) -> None:
    """Whatever they hold, they cause no error, and all headers without a claim stay."""
    trusted = _Guarded().trusted(Record(topic, key, value, headers))
    assert trusted == tuple(header for header in headers if header[0] not in CLAIMS)


@given(key=_OPTIONAL, value=_OPTIONAL, headers=_HEADERS)
def test_a_proof_is_valid_for_the_record_that_it_was_written_for_only(
    key: bytes | None, value: bytes | None, headers: Headers
) -> None:
    """Another header that counts, at any place, makes it invalid; other headers do not, as brokers may add some."""
    own = tuple((name, content) for name, content in headers if name not in dict(PROVED.headers))
    proved = _proved(Record(TOPIC, key, value, (*own, *REPLAY)))
    guarded = _Guarded()
    assert guarded.trusted(_with(proved, ("added", b"1"))) == (*proved.headers, ("added", b"1"))
    assert not guarded.counted
    assert guarded.trusted(replace(proved, headers=((REPLAYED_FOR, b"nobody"), *proved.headers))) != proved.headers
    assert guarded.counted == {"thoth.repo-init": 1}
