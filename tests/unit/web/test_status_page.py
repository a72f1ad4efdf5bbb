# SPDX-License-Identifier: GPL-3.0-or-later
import re
from collections.abc import AsyncIterator
from typing import Any, cast

import faust
import pytest
from aiohttp.test_utils import TestClient, TestServer

from investigator.delivery.errors import PermanentError
from investigator.delivery.halts import FailedMessage, ResumeAction
from investigator.streaming.application import WebServer
from investigator.web import add_status_pages, add_views
from investigator.web.status_page import render
from tests.support.delivery_fakes import OTHER_TOPIC, TOPIC, HandlerScript
from tests.support.delivery_worker import run_until
from tests.support.virtual_time import in_virtual_time
from tests.unit.web.status_fixture import TOPICS, StatusFixture

Client = TestClient[Any, Any]
CAUSE = FailedMessage(0, 17, 1_600_000_000_000, "PermanentError: bad", 5)


class _App(faust.App):
    def _new_web(self) -> WebServer:
        return WebServer(self)


@pytest.fixture
async def status_fixture() -> StatusFixture:
    """An idle worker."""
    return StatusFixture()


@pytest.fixture
async def client(status_fixture: StatusFixture) -> AsyncIterator[Client]:
    """An HTTP client of the worker's pages."""
    faust_pages_off: dict[str, Any] = {f"web_{page}_enabled": False for page in ("graph", "router", "stats", "tables")}
    app = _App("test", broker="kafka://localhost", **faust_pages_off)
    add_views(app, "1.2.3", status_fixture.worker.halt_coordinator, TOPICS)
    add_status_pages(app, status_fixture.collector())
    app.web.init_server()
    async with TestClient(TestServer(cast("WebServer", app.web).web_app)) as client:
        yield client


def _links(page: str) -> set[str]:
    return set(re.findall(r'href="(/[^"]*)"', page))


async def test_the_status_page_is_at_the_root_and_never_cached(client: Client) -> None:
    """Faust would serve its own page at `/`."""
    reply = await client.get("/")
    page = await reply.text()
    assert (reply.status, reply.content_type) == (200, "text/html")
    assert reply.headers["Cache-Control"] == "no-store"
    assert "consuming all topics" in page
    assert TOPIC in page
    assert f"/halt/{TOPIC}" in _links(page)


async def test_the_page_loads_nothing_from_other_hosts(client: Client) -> None:
    """It works in a cluster without access to the internet, and the browser runs only its own script."""
    reply = await client.get("/")
    page = await reply.text()
    [nonce] = set(re.findall(r'nonce="([^"]+)"', page))
    policy = reply.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none';")
    assert f"'nonce-{nonce}'" in policy
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', page)
    assert nonce not in await (await client.get("/")).text()


async def test_each_link_of_a_halted_topic_resumes_it(status_fixture: StatusFixture, client: Client) -> None:
    """There is one link per action."""
    halt_coordinator = status_fixture.worker.halt_coordinator
    for action in ResumeAction:
        halt_coordinator.halt(TOPIC, cause=CAUSE)
        page = await (await client.get("/")).text()
        assert "(1 halted)" in page
        link = f"/resume/{TOPIC}?action={action.value}"
        assert link in _links(page)
        reply = await client.get(f"{link}&wait=0.1")
        answer = await reply.json()
        assert answer["message"] == f"Successfully resumed consumption of {TOPICS[TOPIC]}."
        assert answer["messages"] == [
            {"partition": 0, "offset": 17, "result": "pending", "error": "PermanentError: bad"}
        ]
        page = await (await client.get("/")).text()
        assert "Resumed topics with failed messages" in page
        assert f"resumed with {action.value} and not settled yet" in page
        assert halt_coordinator.current_halt(TOPIC) is None


async def test_a_topic_that_an_operator_halted_has_one_link_without_an_action(
    client: Client,
) -> None:
    """There is no failed message to decide about."""
    await client.get(f"/halt/{OTHER_TOPIC}")
    page = await (await client.get("/")).text()
    assert f"/resume/{OTHER_TOPIC}" in _links(page)
    assert not [link for link in _links(page) if "action=" in link]


async def test_the_status_is_also_served_as_json(status_fixture: StatusFixture, client: Client) -> None:
    """For scripts and dashboards."""
    status_fixture.worker.halt_coordinator.halt(TOPIC, cause=CAUSE)
    status = await (await client.get("/status")).json()
    assert status["version"] == "1.2.3"
    [halt] = status["halted_topics"]
    assert halt["topic"] == TOPIC
    assert halt["failed_messages"] == [
        {"partition": 0, "offset": 17, "attempts": 5, "error": "PermanentError: bad", "action": None}
    ]
    assert [topic["topic"] for topic in status["topics"]] == sorted(TOPICS)


@pytest.mark.parametrize(
    "path",
    [
        "/halt/thoth.nothing",
        "/resume/thoth.nothing",
        f"/resume/{TOPIC}?action=drop",
        f"/resume/{TOPIC}?wait=x",
        f"/resume/{TOPIC}?wait=nan",
        f"/resume/{TOPIC}?wait=-1",
    ],
)
async def test_an_unknown_topic_or_action_is_refused(client: Client, path: str) -> None:
    """The answer is 422 and lists the known names."""
    reply = await client.get(path)
    assert reply.status == 422
    assert "known are" in (await reply.json())["message"]


@in_virtual_time
async def test_an_error_text_is_escaped_in_the_page() -> None:
    """Errors quote messages, which may contain anything."""
    fixture = StatusFixture()
    fixture.worker.receive(
        HandlerScript(failures=99, error=lambda: PermanentError("<script>alert(1)</script> \"' --><img src=x>"))
    )
    await run_until(5)
    page = render(fixture.status(), "nonce")
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
