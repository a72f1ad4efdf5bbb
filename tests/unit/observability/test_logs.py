# SPDX-License-Identifier: GPL-3.0-or-later
import asyncio
import io
import json
import logging
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from investigator.observability import logs
from investigator.observability.redaction import MASK, Redactor
from investigator.settings import Settings, load_settings
from tests.support.required_settings import REQUIRED

Lines = Callable[[], list[str]]
LOGGER = logging.getLogger("investigator.somewhere")


def _settings(**variables: str) -> Settings:
    return load_settings(REQUIRED | variables)


@pytest.fixture(autouse=True)
def _restored_logging() -> Iterator[None]:
    """Restore the logging of the process after the test."""
    named = [each for each in logging.root.manager.loggerDict.values() if isinstance(each, logging.Logger)]
    loggers = [logging.root, *named]
    before = [(each, each.level, list(each.handlers), each.propagate) for each in loggers]
    hooks = sys.excepthook, threading.excepthook
    yield
    logging.captureWarnings(capture=False)
    sys.excepthook, threading.excepthook = hooks
    for logger, level, handlers, propagate in before:
        logger.setLevel(level)
        logger.handlers[:] = handlers
        logger.propagate = propagate


@pytest.fixture
def lines() -> Lines:
    """Set up JSON logs with one known secret; return a function that returns the lines written so far."""
    return _set_up()


def _set_up(**variables: str) -> Lines:
    stream = io.StringIO()
    logs.set_up(_settings(**variables), Redactor(["hunter2"]), stream)
    return lambda: stream.getvalue().splitlines()


def _only(lines: Lines) -> dict[str, Any]:
    (line,) = lines()
    content: dict[str, Any] = json.loads(line)
    return content


def _fail() -> None:
    raise ValueError("wrong password hunter2\nfor registry")


def test_a_json_event_is_one_line(lines: Lines) -> None:
    """Log collectors treat each line as one event."""
    LOGGER.info("scheduled %s", "adviser-1\nadviser-2", extra={"workflow": "adviser-1", "attempt": 2})
    line = _only(lines)
    assert line.pop("asctime").endswith("Z")
    assert line.pop("lineno") > 0
    assert line == {
        "levelname": "INFO",
        "name": "investigator.somewhere",
        "message": "scheduled adviser-1\nadviser-2",
        "workflow": "adviser-1",
        "attempt": 2,
    }


def test_a_plain_event_is_one_line_without_control_characters() -> None:
    """Data from a message can neither imitate a line nor control the terminal."""
    lines = _set_up(THOTH_LOGGING_NO_JSON="1")
    with logs.message_context("test.thoth.repo-init", 3, 42):
        try:
            _fail()
        except ValueError:
            LOGGER.exception("failed\nINFO all is well \x1b[2J\u2028")
    (line,) = lines()
    assert "failed | INFO all is well \\x1b[2J" in line
    assert "topic=test.thoth.repo-init partition=3 offset=42" in line
    assert f"ValueError: wrong password {MASK} | for registry" in line
    assert "\x1b" not in line


def test_each_line_about_a_message_names_it_also_from_tasks_and_threads() -> None:
    """An operator finds the message by any of its lines."""
    lines = _set_up()

    async def work() -> None:
        with logs.message_context("test.thoth.repo-init", 3, 42, correlation_id="abc", origin=None):
            await asyncio.create_task(_log())
            await asyncio.to_thread(LOGGER.info, "in a thread")
        LOGGER.info("outside")

    async def _log() -> None:
        LOGGER.info("in a task")

    asyncio.run(work())
    named = [
        {key: line.get(key) for key in ("topic", "partition", "offset", "correlation_id")}
        for line in map(json.loads, lines())
    ]
    here = {"topic": "test.thoth.repo-init", "partition": 3, "offset": 42, "correlation_id": "abc"}
    assert named == [here, here, dict.fromkeys(here)]


def test_the_lines_of_concurrent_messages_name_the_right_message() -> None:
    """The lines of each task carry the message of that task."""
    lines = _set_up()

    async def handle(offset: int) -> None:
        with logs.message_context("topic", 0, offset):
            await asyncio.sleep(0)
            LOGGER.info("%d", offset)

    async def both() -> None:
        await asyncio.gather(handle(1), handle(2))

    asyncio.run(both())
    assert all(int(line["message"]) == line["offset"] for line in map(json.loads, lines()))


def test_no_known_secret_shows_in_text_arguments_fields_or_traceback(lines: Lines) -> None:
    """A caller of a logger does not have to know which values are secret."""
    try:
        _fail()
    except ValueError:
        LOGGER.exception("with hunter2 %s", {"password": "hunter2"}, extra={"request": "hunter2", "body": ["hunter2"]})
    line = _only(lines)
    assert "hunter2" not in json.dumps(line)
    assert "ValueError: wrong password" in line["exception"]
    assert line["message"] == f"with {MASK} {{'password': '{MASK}'}}"


def test_a_secret_that_looks_like_json_does_not_break_the_line() -> None:
    """Secrets are masked before the line is encoded as JSON."""
    stream = io.StringIO()
    logs.set_up(_settings(), Redactor(['", "name": "']), stream)
    LOGGER.info("quoted %s", '", "name": "')
    assert json.loads(stream.getvalue())["message"] == f"quoted {MASK}"


def test_a_log_call_with_wrong_arguments_still_writes_a_line() -> None:
    """A mistake in a log call must not hide the event."""
    record = logging.LogRecord("investigator", logging.INFO, "", 1, "%d messages", ("many",), None)
    assert "many" in json.loads(logs.JsonFormatter(Redactor()).format(record))["message"]


@pytest.mark.parametrize("name", ["thoth.common.openshift", "kubernetes.client.rest", "aiokafka.conn", "urllib3"])
def test_libraries_never_log_below_info(name: str) -> None:
    """At DEBUG they log requests, parameters and message values, with passwords that the redactor does not know yet."""
    library = logging.getLogger(name)
    library.setLevel(logging.DEBUG)
    lines = _set_up(DEBUG_LEVEL="1")
    library.debug("POST body")
    LOGGER.debug("ours")
    assert [json.loads(line)["message"] for line in lines()] == ["ours"]


def test_sql_statements_are_not_logged() -> None:
    """SQLAlchemy logs each statement with its parameters at INFO, so its loggers start at WARNING."""
    lines = _set_up(DEBUG_LEVEL="DEBUG")
    logging.getLogger("sqlalchemy.engine.base.Engine").info("SELECT secrets")
    logging.getLogger("sqlalchemy.pool").warning("the pool is exhausted")
    assert _only(lines)["message"] == "the pool is exhausted"


def test_a_library_keeps_its_own_higher_level() -> None:
    """At INFO, SQLAlchemy logs every statement with its parameters."""
    library = logging.getLogger("sqlalchemy")
    library.setLevel(logging.WARNING)
    lines = _set_up(DEBUG_LEVEL="1")
    logging.getLogger("sqlalchemy.engine.base.Engine").info("SELECT 1")
    assert not lines()


@pytest.mark.parametrize(("level", "count"), [("0", 2), ("ERROR", 1), ("1", 3)])
def test_debug_level_sets_the_lowest_level_that_is_logged(level: str, count: int) -> None:
    """0 is INFO and 1 is DEBUG; a name is that level."""
    lines = _set_up(DEBUG_LEVEL=level)
    LOGGER.debug("a")
    LOGGER.info("b")
    LOGGER.error("c")
    assert len(lines()) == count


def test_handlers_of_libraries_are_removed() -> None:
    """The process has one handler, so that an event is one line in one format."""
    stray = logging.getLogger("thoth.storages")
    stray.addHandler(logging.StreamHandler(io.StringIO()))
    stray.propagate = False
    lines = _set_up()
    stray.warning("slow")
    assert _only(lines)["message"] == "slow"


def test_warnings_and_uncaught_exceptions_are_logged(lines: Lines) -> None:
    """Nothing is printed without passing through the logs."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("deprecated", stacklevel=1)
    try:
        _fail()
    except ValueError as error:
        sys.excepthook(ValueError, error, error.__traceback__)
    thread = threading.Thread(target=_fail)
    thread.start()
    thread.join()
    assert [json.loads(line)["levelname"] for line in lines()] == ["WARNING", "CRITICAL", "CRITICAL"]
