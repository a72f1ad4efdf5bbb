# SPDX-License-Identifier: GPL-3.0-or-later
"""A failing count fails no request: all wait, the count is repeated, and all go on when it succeeds."""

import asyncio
import logging
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest
from urllib3 import HTTPConnectionPool
from urllib3.exceptions import ReadTimeoutError

from investigator.argo.http import ApiError
from investigator.argo.pending_limit import PendingLimiter, PendingPolicy
from investigator.delivery.current_message import bind_message, current_context
from investigator.delivery.errors import PermanentError, TemporaryError, UnavailableError
from tests.support.pending_namespace import Namespace, schedule
from tests.support.virtual_time import in_virtual_time

FAILURES = [
    TemporaryError("GET /workflows: 500 etcdserver: request timed out"),
    UnavailableError("the cluster's API does not answer"),
    PermanentError("the count is refused"),
    ApiError("GET /workflows", 403, "workflows is forbidden", reason="Forbidden"),
    ReadTimeoutError(HTTPConnectionPool("api"), "/workflows", "Read timed out."),
    PermanentError("GET /workflows: 404 the server could not find the requested resource"),
    TimeoutError(),
    ValueError("a page of HTML"),
    KeyError("metadata"),
    asyncio.TimeoutError(),
]


@dataclass
class Waits:
    """Counts the requests that wait, as slots do."""

    waiting: int = 0
    texts: set[str] = field(default_factory=set)

    @asynccontextmanager
    async def enter(self, what: str) -> AsyncIterator[None]:
        """Wait for the duration of the context."""
        self.texts.add(what)
        self.waiting += 1
        try:
            yield
        finally:
            self.waiting -= 1


def requests(limiter: PendingLimiter, namespace: Namespace, number: int) -> list["asyncio.Task[None]"]:
    """Start requests that wait for a permit."""
    return [asyncio.create_task(schedule(limiter, namespace)) for _ in range(number)]


@pytest.mark.parametrize("failure", FAILURES, ids=repr)
@in_virtual_time
async def test_a_count_that_fails_makes_all_requests_wait_and_fails_none(failure: Exception) -> None:
    """600 of 600 requests get their permit after an outage of 75 seconds, whatever the count raised."""
    namespace = Namespace(limit=5, starts_after=0.1, failure=failure)
    limiter = namespace.limiter(interval=0.5)
    tasks = requests(limiter, namespace, 600)
    await asyncio.sleep(75)
    assert not any(task.done() for task in tasks)
    assert limiter.is_failing
    namespace.failure = None
    await asyncio.gather(*tasks)
    assert len(namespace.created_at_pending) == 600
    assert not limiter.is_failing


@pytest.mark.parametrize("outage", [0.5, 3.0, 15.0, 3600.0])
@in_virtual_time
async def test_requests_go_on_within_seconds_after_an_outage_of_any_length(outage: float) -> None:
    """The pauses grow to a bound, so that the end is noticed soon."""
    namespace = Namespace(limit=50, failure=TemporaryError("500"))
    tasks = requests(namespace.limiter(), namespace, 20)
    await asyncio.sleep(outage)
    namespace.failure = None
    await asyncio.wait_for(asyncio.gather(*tasks), 6)


@in_virtual_time
async def test_a_failing_count_is_repeated_with_growing_pauses() -> None:
    """An outage of ten minutes causes some hundred requests, not thousands."""
    namespace = Namespace(failure=TemporaryError("500"))
    requests(namespace.limiter(interval=0.1), namespace, 50)
    await asyncio.sleep(600)
    assert namespace.shortest_interval >= 1.0
    assert 100 < len(namespace.counted_at) < 130


@pytest.mark.parametrize(
    ("failure", "respected"),
    [
        (ApiError("GET /workflows", 503, "starting", retry_after=20.0), 20.0),
        (ApiError("GET /workflows", 429, "too many requests", retry_after=86_400.0), 60.0),
        (TemporaryError("503", delay=20.0), 20.0),
    ],
)
@in_virtual_time
async def test_a_retry_after_is_respected_up_to_a_minute(failure: Exception, respected: float) -> None:
    """A server that asks for silence gets it; a day is a mistake."""
    namespace = Namespace(failure=failure)
    requests(namespace.limiter(), namespace, 3)
    await asyncio.sleep(500)
    assert respected <= namespace.shortest_interval < respected + 1


@in_virtual_time
async def test_a_count_that_hangs_is_repeated_after_the_timeout() -> None:
    """No answer is an outage as well."""
    namespace = Namespace(hangs=True)
    limiter = PendingLimiter(PendingPolicy(5, timeout=10.0), namespace.count)
    tasks = requests(limiter, namespace, 3)
    await asyncio.sleep(15)
    assert limiter.is_failing
    assert "no answer after 10 s" in limiter.outage.error
    namespace.hangs = False
    await asyncio.wait_for(asyncio.gather(*tasks), 16)


@in_virtual_time
async def test_requests_wait_without_their_slot() -> None:
    """A failing count holds back only what needs it."""
    waits = Waits()
    namespace = Namespace(failure=TemporaryError("500"))
    limiter = namespace.limiter()

    async def request() -> None:
        async with limiter.acquire(while_waiting=waits.enter):
            await namespace.create()

    tasks = [asyncio.create_task(request()) for _ in range(5)]
    await asyncio.sleep(60)
    assert (waits.waiting, waits.texts) == (5, {"a permit in the cluster"})
    namespace.failure = None
    await asyncio.gather(*tasks)
    assert waits.waiting == 0


@in_virtual_time
async def test_cancelled_requests_leave_nothing_behind() -> None:
    """Neither a place in the queue, nor a task that counts, nor the state of an outage."""
    namespace = Namespace(failure=TemporaryError("500"))
    limiter = namespace.limiter()
    tasks = requests(limiter, namespace, 200)
    await asyncio.sleep(30)
    for task in tasks:
        task.cancel()
    with suppress(asyncio.CancelledError):
        await asyncio.gather(*tasks)
    assert len(limiter._queue) == 0
    assert not limiter.is_failing
    counts = len(namespace.counted_at)
    await asyncio.sleep(600)
    assert len(namespace.counted_at) <= counts + 1
    assert limiter._counter is None


@in_virtual_time
async def test_an_outage_is_logged_once_and_its_end_too(caplog: pytest.LogCaptureFixture) -> None:
    """Two lines for each outage, however long it lasts and however many messages wait."""
    caplog.set_level(logging.WARNING)
    namespace = Namespace(limit=500)
    limiter = namespace.limiter()
    for cause in ("first", "second"):
        namespace.failure = PermanentError(cause)
        tasks = requests(limiter, namespace, 30)
        await asyncio.sleep(300)
        namespace.failure = None
        await asyncio.gather(*tasks)
        await asyncio.sleep(30)
    texts = [record.getMessage() for record in caplog.records]
    assert [text.split(" ")[2] for text in texts] == ["can't", "are", "can't", "are"]
    assert "error=second" in texts[2]


@in_virtual_time
async def test_a_defect_in_the_worker_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    """An exception of an unknown type is reported as such, and messages wait nevertheless."""
    namespace = Namespace(failure=AssertionError("ours"))
    requests(namespace.limiter(), namespace, 3)
    await asyncio.sleep(30)
    (record,) = caplog.records
    assert record.exc_info is not None


@in_virtual_time
async def test_the_log_lines_of_an_outage_name_no_message() -> None:
    """All messages of the namespace wait for the count, and not only the one that happens to start it."""
    seen: list[Hashable] = []

    async def count() -> int:
        seen.append(current_context().message_key)
        return await namespace.count()

    namespace = Namespace(failure=TemporaryError("500"))
    limiter = PendingLimiter(PendingPolicy(limit=5), count)
    with bind_message("the first message"):
        requests(limiter, namespace, 1)
        await asyncio.sleep(10)
    assert seen
    assert "the first message" not in seen
