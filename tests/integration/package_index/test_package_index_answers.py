# SPDX-License-Identifier: GPL-3.0-or-later
"""What each answer of a package index means for the message, with the answers that real indexes send."""

from collections.abc import Iterator

import pytest
import requests

from investigator.delivery.errors import PermanentError, TemporaryError, UnavailableError
from investigator.package_index.answers import INDEX_ANSWERS, index_error
from investigator.package_index.client import PackageIndex
from investigator.resilience.answers import Meaning
from investigator.resilience.quick_retries import CallPolicy
from sandbox.faults import Fault
from sandbox.package_index import PackageIndexServer
from sandbox.recorded import PACKAGE_INDEX, RecordedAnswer
from tests.support.impatient_breakers import impatient_breakers

ROWS = {row.name: row for row in INDEX_ANSWERS}
ERRORS = {
    Meaning.PERMANENT: PermanentError,
    Meaning.TEMPORARY: TemporaryError,
    Meaning.UNAVAILABLE: UnavailableError,
}
WITHOUT_ANSWER: dict[str, tuple[Exception, type[Exception]]] = {
    "invalid encoding": (requests.exceptions.ContentDecodingError("no gzip"), TemporaryError),
    "invalid URL or specifier": (requests.exceptions.MissingSchema("no scheme"), PermanentError),
    "no answer": (requests.ConnectTimeout("slow"), UnavailableError),
}


@pytest.fixture
def index() -> Iterator[PackageIndex]:
    """A client without quick retries, whose breakers probe at once and then fail, so that a test sees the error."""
    index = PackageIndex(CallPolicy(threads=1, retry_budget=1.0, max_attempts=1), 1.0, impatient_breakers("index"))
    yield index
    index.close()


def test_each_row_has_an_example() -> None:
    """A row that no answer matches may be hidden by an earlier one."""
    assert ROWS.keys() == {answer.row for answer in PACKAGE_INDEX} | WITHOUT_ANSWER.keys()


@pytest.mark.parametrize("answer", PACKAGE_INDEX, ids=[answer.name for answer in PACKAGE_INDEX])
async def test_each_recorded_answer_has_the_meaning_of_its_row(
    answer: RecordedAnswer, index: PackageIndex, package_index: PackageIndexServer
) -> None:
    """The error names cause and answer; an absent package is no error."""
    package_index.faults.set(Fault(effect="answer", answer=answer.name))
    row = ROWS[answer.row]
    if row.meaning is Meaning.DONE:
        assert await index.versions(package_index.index_url(), "flask") == []
        return
    with pytest.raises(ERRORS[row.meaning]) as caught:
        await index.versions(package_index.index_url(), "flask")
    assert type(caught.value) is ERRORS[row.meaning]
    assert str(caught.value).startswith(f"{row.cause}: GET http")


@pytest.mark.parametrize(("error", "kind"), WITHOUT_ANSWER.values(), ids=WITHOUT_ANSWER)
def test_errors_without_an_answer_are_mapped_to_those_of_handlers(error: Exception, kind: type[Exception]) -> None:
    """The type says whether another attempt may succeed, and whether the index is unavailable."""
    assert type(index_error(error)) is kind
