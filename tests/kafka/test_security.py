# SPDX-License-Identifier: GPL-3.0-or-later
"""Each way in that the settings know, on a real listener; and what is said where one is not let in."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, NoReturn

import pytest

from investigator.preflight import Preflight, PreflightError
from investigator.settings import ConfigurationError, load_settings
from investigator.topics import Topic, halts_topic
from sandbox.cluster import ClusterStandIn
from sandbox.environment import Sandbox
from sandbox.package_index import PackageIndexServer
from sandbox.postgres import Database
from tests.e2e.outside import Kafka, get, message, metric, wait_until
from tests.kafka.operator import Kind, Operation, Operator
from tests.kafka.repositories import REPO_INIT, repository, set_up
from tests.kafka.secured import KEY_PASSWORD, PASSWORDS, Secured, secured_broker
from tests.settings.test_loading import REQUIRED

Variables = dict[str, str]
TOPIC = "thoth.repo-init"
HALTS = "thoth.investigator.halts"


@pytest.fixture(scope="module")
def secured(apache: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """The broker of these tests."""
    del apache
    with secured_broker(tmp_path_factory.mktemp("secured")) as secured:
        yield secured


@pytest.fixture(scope="module")
def root(secured: Secured) -> Iterator[Operator]:
    """Somebody who may do everything there."""
    operator = Operator(secured.broker.bootstrap_servers)
    yield operator
    operator.close()


@pytest.fixture(scope="module")
def inside(secured: Secured) -> Iterator[Kafka]:
    """A client that may do everything there."""
    with Kafka(secured.broker.bootstrap_servers) as client:
        yield client


@pytest.fixture
def sandbox(  # noqa: PLR0913, PLR0917 - it is all of them together
    secured: Secured,
    database: Database,
    cluster: ClusterStandIn,
    package_index: PackageIndexServer,
    deployment: str,
    tmp_path: Path,
) -> Sandbox:
    """Surroundings with the broker of these tests."""
    (tmp_path / "sandbox").mkdir()
    return Sandbox(secured.broker, database, cluster, package_index, deployment, tmp_path / "sandbox")


def _password_in_a_file(secured: Secured, folder: Path) -> Variables:
    (folder / "password").write_text(f"{KEY_PASSWORD}\n")
    return {**secured.by_certificate(), "KAFKA_SSL_KEY_PASSWORD": str(folder / "password")}


def _of_another_host(secured: Secured, _: Path) -> Variables:
    check = {"KAFKA_SSL_ENDPOINT_IDENTIFICATION_ALGORITHM": "none"}
    return {**secured.by_certificate(listener="MISNAMED"), **check}


WAYS_IN: dict[str, Callable[[Secured, Path], Variables]] = {
    "a certificate": lambda secured, _: secured.by_certificate(),
    "the key's password in a file": _password_in_a_file,
    "a broker of another name, unchecked": _of_another_host,
    "SASL_SSL and SCRAM-SHA-512": lambda secured, _: secured.by_password("SASL_SSL", "SCRAM-SHA-512"),
    "SASL_SSL and PLAIN": lambda secured, _: secured.by_password("SASL_SSL", "PLAIN"),
    "SASL_PLAINTEXT and SCRAM-SHA-512": lambda secured, _: secured.by_password("SASL_PLAINTEXT", "SCRAM-SHA-512"),
    "SASL_PLAINTEXT and PLAIN": lambda secured, _: secured.by_password("SASL_PLAINTEXT", "PLAIN"),
}


@pytest.mark.parametrize("name", WAYS_IN)
def test_a_worker_that_is_let_in_handles_messages_and_knows_of_halts(
    secured: Secured, sandbox: Sandbox, inside: Kafka, tmp_path: Path, name: str
) -> None:
    """Consumer, producer and administration all get in; nothing of the passwords is logged."""
    with sandbox.worker(sandbox.env(**WAYS_IN[name](secured, tmp_path))) as worker:
        inside.send(sandbox.topic(REPO_INIT), repository(1))
        wait_until(lambda: set_up(sandbox.cluster) == {1: 1}, "the message is handled")
        assert get(worker, f"/halt/{REPO_INIT}")[0] == 200
        wait_until(lambda: metric(worker, "thoth_investigator_halted_topics") == 1, "the topic is halted")
    assert not [word for word in (*PASSWORDS.values(), KEY_PASSWORD) if word in worker.log_text()]


class Refused(NamedTuple):
    """A way that does not lead in, and words of what has to be said about it."""

    variables: Callable[[Secured], Variables]
    says: tuple[str, ...]


def _without_certificate(secured: Secured) -> Variables:
    return {name: value for name, value in secured.by_certificate().items() if "CERT" not in name and "KEY" not in name}


def _with(secured: Secured, name: str, value: object) -> Variables:
    variables = secured.by_certificate() if name.startswith("KAFKA_SSL") else secured.by_password("SASL_SSL", "PLAIN")
    return {**variables, name: str(value)}


REFUSED = {
    "a wrong password": Refused(
        lambda secured: _with(secured, "KAFKA_SASL_PASSWORD", "guessed"), ("KAFKA_SASL_PASSWORD is wrong",)
    ),
    "a wrong password with SCRAM": Refused(
        lambda secured: {**secured.by_password("SASL_SSL", "SCRAM-SHA-512"), "KAFKA_SASL_PASSWORD": "guessed"},
        ("KAFKA_SASL_PASSWORD is wrong",),
    ),
    "an unknown user": Refused(
        lambda secured: _with(secured, "KAFKA_SASL_USERNAME", "nobody"), ("KAFKA_SASL_USERNAME",)
    ),
    "a mechanism that is not offered": Refused(
        lambda secured: _with(secured, "KAFKA_SASL_MECHANISM", "SCRAM-SHA-256"), ("set KAFKA_SASL_MECHANISM to one",)
    ),
    "an expired certificate": Refused(
        lambda secured: secured.by_certificate(secured.expired), ("KAFKA_SSL_CERTIFICATE_LOCATION", "valid now")
    ),
    "a certificate of an unknown authority": Refused(
        lambda secured: secured.by_certificate(secured.unknown),
        ("KAFKA_SSL_CERTIFICATE_LOCATION", "an authority that the broker trusts"),
    ),
    "no certificate": Refused(_without_certificate, ("KAFKA_SSL_CERTIFICATE_LOCATION",)),
    "a broker of an unknown authority": Refused(
        lambda secured: _with(secured, "KAFKA_SSL_CA_LOCATION", secured.other_ca), ("KAFKA_SSL_CA_LOCATION has to be",)
    ),
    "a broker with an expired certificate": Refused(
        lambda secured: secured.by_certificate(listener="OUTDATED"), ("has expired", "renewed on the broker")
    ),
    "a broker of another name": Refused(
        lambda secured: secured.by_certificate(listener="MISNAMED"),
        ("not valid for '127.0.0.1'", "KAFKA_SSL_ENDPOINT_IDENTIFICATION_ALGORITHM=none"),
    ),
    "no encryption where it is wanted": Refused(
        lambda secured: {"KAFKA_BOOTSTRAP_SERVERS": secured.broker.address("MUTUAL")}, ("KAFKA_SECURITY_PROTOCOL",)
    ),
    "encryption where none is": Refused(
        lambda secured: {
            **secured.by_certificate(),
            "KAFKA_BOOTSTRAP_SERVERS": secured.broker.bootstrap_servers,
        },
        ("KAFKA_SECURITY_PROTOCOL",),
    ),
    "no password where one is wanted": Refused(
        lambda secured: {"KAFKA_BOOTSTRAP_SERVERS": secured.broker.address("PLAINLOGIN")}, ("KAFKA_SECURITY_PROTOCOL",)
    ),
}


def _preflight(deployment: str, variables: Variables) -> Preflight:
    settings = load_settings(
        {**REQUIRED, "THOTH_DEPLOYMENT_NAME": deployment, "THOTH_CONSUMER_MODE": "metrics", **variables}
    )
    topics = [Topic(f"{deployment}.{TOPIC}", 1, 1), halts_topic(settings)]
    return Preflight(settings, topics, _not_asked_for, _not_asked_for)


def _not_asked_for() -> NoReturn:
    raise AssertionError("a worker that only counts needs neither graph nor cluster")


async def _problem(deployment: str, variables: Variables) -> str:
    with pytest.raises(PreflightError) as caught:
        await _preflight(deployment, variables).run()
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize("name", REFUSED)
async def test_whoever_is_not_let_in_is_told_which_setting_it_is(secured: Secured, deployment: str, name: str) -> None:
    """One problem, with the broker's address, its reason, and the setting to put right; never the password."""
    problem = await _problem(deployment, REFUSED[name].variables(secured))

    assert problem.startswith("Kafka at 127.0.0.1:")
    for words in REFUSED[name].says:
        assert words in problem
    assert "guessed" not in problem


@pytest.mark.parametrize("name", ["a wrong password", "an expired certificate"])
def test_a_worker_that_is_not_let_in_ends_at_once(secured: Secured, sandbox: Sandbox, name: str) -> None:
    """Status 1 and the reason, which no waiting would change."""
    worker = sandbox.worker(sandbox.env(**REFUSED[name].variables(secured)))
    worker.start()
    assert worker.wait(timeout=30) == 1
    for words in REFUSED[name].says:
        assert words in worker.log_text()
    assert "Traceback" not in worker.log_text()


@pytest.mark.parametrize("name", ["KAFKA_SSL_CA_LOCATION", "KAFKA_SSL_CERTIFICATE_LOCATION", "KAFKA_SSL_KEY_LOCATION"])
def test_a_file_that_cannot_be_read_is_named(secured: Secured, tmp_path: Path, name: str) -> None:
    """It is found before anything is asked of a broker."""
    with pytest.raises(ConfigurationError) as caught:
        load_settings({**REQUIRED, **_with(secured, name, tmp_path / "absent")})
    (problem,) = caught.value.problems
    assert problem.startswith(name)
    assert "absent" in problem


class Right(NamedTuple):
    """One right of the list in docs/kafka.md."""

    operation: Operation
    kind: Kind
    name: str


def _rights(deployment: str) -> dict[str, Right]:
    return {
        "the messages": Right(Operation.READ, Kind.TOPIC, f"{deployment}.{TOPIC}"),
        "the halts, to read them": Right(Operation.READ, Kind.TOPIC, f"{deployment}.{HALTS}"),
        "the halts, to write them": Right(Operation.WRITE, Kind.TOPIC, f"{deployment}.{HALTS}"),
        "the dead letters": Right(Operation.WRITE, Kind.TOPIC, f"{deployment}.{TOPIC}-dlt"),
        "the group": Right(Operation.READ, Kind.GROUP, "investigator"),
    }


def _limited(secured: Secured, deployment: str) -> Variables:
    return {**secured.by_password("SASL_SSL", "PLAIN", "limited"), "KAFKA_CONSUMER_GROUP_ID": f"{deployment}-group"}


def _existing(root: Operator, deployment: str) -> None:
    root.create_topic(f"{deployment}.{TOPIC}")
    root.create_topic(f"{deployment}.{TOPIC}-dlt")
    root.create_topic(f"{deployment}.{HALTS}", config={"cleanup.policy": "compact"})


def _rights_of(deployment: str) -> dict[str, Right]:
    group = {"the group": Right(Operation.READ, Kind.GROUP, f"{deployment}-group")}
    return {**_rights(deployment), **group}


async def test_the_rights_of_the_documentation_are_enough(secured: Secured, root: Operator, deployment: str) -> None:
    """With them and no others a worker may start, where its topics exist."""
    _existing(root, deployment)
    for right in _rights_of(deployment).values():
        root.allow("limited", *right)
    await _preflight(deployment, _limited(secured, deployment)).run()


@pytest.mark.parametrize("missing", _rights(""))
async def test_a_missing_right_is_named(secured: Secured, root: Operator, deployment: str, missing: str) -> None:
    """Which operation on what; a worker that started nevertheless would do nothing, or not keep what it has to."""
    _existing(root, deployment)
    rights = _rights_of(deployment)
    lacking = rights.pop(missing)
    for right in rights.values():
        root.allow("limited", *right)

    problem = await _problem(deployment, _limited(secured, deployment))

    assert lacking.name in problem
    assert "docs/kafka.md" in problem
    if missing not in ("the messages", "the dead letters"):  # those are hidden altogether
        assert f"{lacking.operation.name} on {lacking.kind.name.lower()} {lacking.name}" in problem


async def test_the_right_to_create_topics_is_wanted_where_they_are_missing(secured: Secured, deployment: str) -> None:
    """The topic is named, and that it can't be created."""
    problem = await _problem(deployment, _limited(secured, deployment))
    assert f"{deployment}.{TOPIC}" in problem
    assert "could not be created" in problem


def test_a_dead_letter_that_may_not_be_written_halts_its_topic(
    secured: Secured, root: Operator, inside: Kafka, sandbox: Sandbox
) -> None:
    """A right that is missing for later only: the message is not passed, and the log names topic and right."""
    deployment = sandbox.deployment
    group = sandbox.group()
    root.allow("limited", Operation.READ, Kind.GROUP, group)
    root.allow("limited", Operation.READ, Kind.TOPIC, f"{deployment}.", prefix=True)
    root.allow("limited", Operation.WRITE, Kind.TOPIC, f"{deployment}.{HALTS}")
    environment = sandbox.env(THOTH_INVESTIGATOR_ACK_ON_FAIL="1", **secured.by_password("SASL_SSL", "PLAIN"))
    with sandbox.worker(environment):
        """It creates the topics."""
    limited = {**environment, **secured.by_password("SASL_SSL", "PLAIN", "limited")}
    with sandbox.worker(limited) as worker:
        inside.send(sandbox.topic(REPO_INIT), message(project_url=None))
        wait_until(lambda: metric(worker, "thoth_investigator_halted_topics") == 1, "the topic is halted")
        assert inside.committed(group, sandbox.topic(REPO_INIT)) == {}
    assert f"{sandbox.topic(REPO_INIT)}-dlt" in worker.log_text()
    assert "docs/kafka.md" in worker.log_text()


def test_a_worker_that_loses_its_right_to_the_group_ends_and_says_why_at_its_next_start(
    secured: Secured, root: Operator, inside: Kafka, sandbox: Sandbox
) -> None:
    """Whoever starts it again is told what is missing; with the right given back, it goes on where it was."""
    group = sandbox.group()
    root.allow("limited", Operation.READ, Kind.GROUP, group)
    for operation in Operation:
        root.allow("limited", operation, Kind.TOPIC, f"{sandbox.deployment}.", prefix=True)
    with sandbox.worker(sandbox.env(**secured.by_password("SASL_SSL", "PLAIN", "limited"))) as worker:
        inside.send(sandbox.topic(REPO_INIT), repository(1))
        wait_until(lambda: set_up(sandbox.cluster) == {1: 1}, "the message is handled")
        root.deny("limited", Operation.READ, Kind.GROUP, group)
        assert worker.wait(timeout=60) != 0
        inside.send(sandbox.topic(REPO_INIT), repository(2))
        worker.start()
        assert worker.wait(timeout=60) == 1
        assert f"READ on group {group}" in worker.log_text()
        root.undo_denials("limited")
        worker.start()
        wait_until(lambda: set_up(sandbox.cluster) == {1: 1, 2: 1}, "it goes on")


def test_a_session_that_brokers_do_not_allow_ends_the_worker(secured: Secured, sandbox: Sandbox) -> None:
    """It would be let into no group, however long it waited; the setting is named."""
    way_in = secured.by_password("SASL_SSL", "PLAIN")
    worker = sandbox.worker(sandbox.env(THOTH_INVESTIGATOR_SESSION_TIMEOUT="0.5", **way_in))
    worker.start()
    assert worker.wait(timeout=40) != 0
    assert "THOTH_INVESTIGATOR_SESSION_TIMEOUT has to lie within" in worker.log_text()


def test_the_list_of_rights_is_that_of_the_documentation() -> None:
    """docs/kafka.md names each of them."""
    page = (Path(__file__).parents[2] / "docs" / "kafka.md").read_text("utf-8")
    for right in _rights("").values():
        assert right.operation.name in page
