# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof of a replay: a header that only those can write who have the key of the deployment.

Any producer can send the headers of a replay, and would get the identity of another message by them. So they count only
beside an HMAC-SHA256 over the topic, key and value of the message, and over all of these headers.
"""

import hmac
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from investigator.delivery.dead_letters import ORIGINAL, PROOF, REPLAYED_FOR, REPLAYS, Headers, origin_of_replay
from investigator.delivery.origin import Origin

_LOGGER = logging.getLogger(__name__)

# The first field: the key proves nothing else than replays of this format.
_FORMAT = b"investigator-replay-1"
_CLAIMS = (REPLAYS, REPLAYED_FOR, PROOF)


@dataclass(frozen=True)
class Record:
    """What a producer sends, and what a proof is about.

    Args:
        topic: the full name of the topic.
        key: the key of the message.
        value: its value.
        headers: its headers.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers


class ReplayProof:
    """Proves replays, and checks proofs.

    Args:
        key: the key of the deployment; without one, nothing is proved.
    """

    def __init__(self, key: str | None) -> None:
        self._key = None if key is None else key.encode()

    @property
    def has_key(self) -> bool:
        """Whether there is a key."""
        return self._key is not None

    def header(self, record: Record) -> Headers:
        """Return the header that proves a replay, to be added to its headers; none without a key."""
        return () if self._key is None else ((PROOF, _digest(self._key, record)),)

    def problem(self, record: Record) -> str:
        """Return why the record is no proved replay of a message of its topic; empty if it is one."""
        proofs = [content for name, content in record.headers if name == PROOF]
        if self._key is None:
            return "THOTH_INVESTIGATOR_REPLAY_KEY is not set"
        if len(proofs) != 1:
            return "no proof" if not proofs else "several proofs"
        if not hmac.compare_digest(proofs[0] or b"", _digest(self._key, record)):
            return "wrong proof"
        origin = origin_of_replay(record.headers)
        return "" if origin is not None and origin.topic == record.topic else "no origin in this topic"


def _digest(key: bytes, record: Record) -> bytes:
    digest = hmac.new(key, digestmod="sha256")
    for part in _parts(record):
        # With its length, so that no two records have the same bytes; None and b"" differ in the first byte.
        digest.update(b"\x00" if part is None else b"\x01" + len(part).to_bytes(8, "big"))
        digest.update(part or b"")
    return digest.digest()


def _parts(record: Record) -> Iterator[bytes | None]:
    yield from (_FORMAT, record.topic.encode(), record.key, record.value)
    for name, content in record.headers:
        if _counts(name):
            yield from (name.encode("utf-8", "surrogatepass"), content)


def _counts(name: str) -> bool:
    """Return whether a worker acts on a header of a replay, so that the proof has to include it."""
    return name in (REPLAYS, REPLAYED_FOR) or name.startswith(ORIGINAL)


@dataclass
class ReplayGuard:
    """Removes from messages the headers by which they claim to be replays, unless they prove it.

    Args:
        proof: checks the proofs.
        count_unproved: called with the base name of the topic for each message that claims to be a replay in vain.
    """

    proof: ReplayProof
    count_unproved: Callable[[str], None]
    _warned: set[str] = field(default_factory=set, init=False)

    def trusted_headers(self, base_name: str, position: Origin, record: Record) -> Headers:
        """Return the headers of the record; those that claim a replay are only among them if the record is one."""
        rest = tuple(header for header in record.headers if header[0] not in _CLAIMS)
        if len(rest) == len(record.headers) or not (problem := self.proof.problem(record)):
            return record.headers
        self._report(base_name, position, problem)
        return rest

    def _report(self, base_name: str, position: Origin, problem: str) -> None:
        self.count_unproved(base_name)
        if base_name not in self._warned:
            self._warned.add(base_name)
            _LOGGER.warning(
                "Message claims to be a replay without proof; it is handled as a new message, and later ones of its "
                "topic are only counted message=%s problem=%s",
                position,
                problem,
            )
