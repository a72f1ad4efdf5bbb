# SPDX-License-Identifier: GPL-3.0-or-later
from pathlib import Path

import pytest
from pydantic import SecretStr

from investigator.settings import ConfigurationError, Settings, load_settings
from investigator.settings.modes import Mode
from investigator.settings.reference import reference
from tests.support.required_settings import REQUIRED
from tests.unit.settings.loading import load, problems


def test_the_required_variables_suffice() -> None:
    """All other variables have a default."""
    settings = load()
    assert settings.kafka_bootstrap_servers == ("kafka-0:9092", "kafka-1:9092")
    assert settings.topic("thoth.repo-init") == "ocp4-stage.thoth.repo-init"


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("given", [None, "", "  "])
def test_a_required_variable_that_is_missing_or_empty_is_named(name: str, given: str | None) -> None:
    """The error names the variable, its format and its purpose."""
    environ = {key: text for key, text in REQUIRED.items() if key != name} | ({} if given is None else {name: given})
    with pytest.raises(ConfigurationError) as caught:
        load_settings(environ)
    assert [problem.split(" is not set. Set it (")[0] for problem in caught.value.problems] == [name]


def test_all_problems_are_listed_at_once() -> None:
    """An operator does not have to start the worker once per problem."""
    with pytest.raises(ConfigurationError) as caught:
        load_settings({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "THOTH_CONSUMER_WORKERS": "many"})
    named = [problem.split(":")[0].split(" ")[0] for problem in caught.value.problems]
    sasl = ["KAFKA_SASL_MECHANISM", "KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD"]
    assert sorted(named) == sorted([*REQUIRED, "THOTH_CONSUMER_WORKERS", *sasl])
    assert all(problem in str(caught.value) for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("KAFKA_BOOTSTRAP_SERVERS", "kafka"),
        ("KAFKA_BOOTSTRAP_SERVERS", "kafka:0"),
        ("KAFKA_BOOTSTRAP_SERVERS", "kafka:9092,other:70000"),
        ("KAFKA_BOOTSTRAP_SERVERS", ","),
        ("KAFKA_SECURITY_PROTOCOL", "TLS"),
        ("KAFKA_SSL_CA_LOCATION", "/nowhere/ca.pem"),
        ("KAFKA_SSL_ENDPOINT_IDENTIFICATION_ALGORITHM", "off"),
        ("KAFKA_SASL_MECHANISM", "GSSAPI"),
        ("KAFKA_CONSUMER_AUTO_OFFSET_RESET", "middle"),
        ("KAFKA_CONSUMER_MAX_POLL_INTERVAL_MS", "0"),
        ("KAFKA_MESSAGE_MAX_BYTES", "-1"),
        ("KAFKA_CONSUMER_ENABLE_AUTOCOMMIT", "true"),
        ("KAFKA_CONSUMER_ENABLE_AUTO_COMMIT", "1"),
        ("KAFKA_CONSUMER_ENABLE_AUTO_COMMIT", "sometimes"),
        ("THOTH_DEPLOYMENT_NAME", "my deployment"),
        ("THOTH_CONSUMER_MODE", "frontend"),
        ("THOTH_CONSUMER_MODE", "[]"),
        ("THOTH_CONSUMER_MODE", '["backend"'),
        ("THOTH_CONSUMER_MODE", '["backend", 1]'),
        ("THOTH_CONSUMER_WORKERS", "0"),
        ("THOTH_INVESTIGATOR_MAX_RETRIES", "0"),
        ("THOTH_INVESTIGATOR_BACKOFF", "-0.5"),
        ("THOTH_INVESTIGATOR_BACKOFF", "inf"),
        ("THOTH_INVESTIGATOR_ACK_ON_FAIL", "-1"),
        ("THOTH_INVESTIGATOR_ACK_ON_FAIL", "yes"),
        ("THOTH_INVESTIGATOR_ACK_ON_FAIL", '{"thoth.repo-init": 1}'),
        ("THOTH_INVESTIGATOR_ACK_ON_FAIL", "[1]"),
        ("THOTH_INVESTIGATOR_SCHEDULE_SOLVER", "true"),
        ("THOTH_INVESTIGATOR_SHUTDOWN_TIMEOUT", "0"),
        ("THOTH_INVESTIGATOR_CALL_TIMEOUT", "nan"),
        ("ARGO_PENDING_WORKFLOW_LIMIT", "-1"),
        ("ARGO_PENDING_SLEEP_TIME", "-1"),
        ("THOTH_BACKEND_NAMESPACE", "Backend_1"),
        ("THOTH_S3_ENDPOINT_URL", "s3.example.com"),
        ("KUBECONFIG", "/nowhere/config"),
        ("KUBERNETES_VERIFY_TLS", "true"),
        ("KNOWLEDGE_GRAPH_PORT", "65536"),
        ("KNOWLEDGE_GRAPH_SSL_DISABLED", "yes"),
        ("KNOWLEDGE_GRAPH_SSL_MODE", "on"),
        ("KNOWLEDGE_GRAPH_SSL_CA_LOCATION", "/nowhere/ca.crt"),
        ("DEBUG_LEVEL", "loud"),
    ],
)
def test_an_invalid_value_is_refused_and_named(name: str, given: str) -> None:
    """The error quotes the variable and its value, and says which values are valid."""
    (problem,) = problems(**{name: given})
    assert problem.startswith(f"{name}: {given!r}")
    assert "Set it to: " in problem


@pytest.mark.parametrize("key", ["x" * 31, "pass", "x" * 31 + "\n"])
def test_a_key_that_can_be_guessed_is_refused_and_not_quoted(key: str) -> None:
    """A producer who knows it can give a message the identity of another one."""
    (problem,) = problems(THOTH_INVESTIGATOR_REPLAY_KEY=key)
    assert "shorter than 32 characters" in problem
    assert key.strip() not in problem


def test_a_password_is_not_quoted_in_an_error(tmp_path: Path) -> None:
    """The error states the problem without the password or the path given for it."""
    unreadable = tmp_path / "password"
    unreadable.write_bytes(b"\xff\xfe")
    (problem,) = problems(KAFKA_SSL_KEY_PASSWORD=str(unreadable))
    assert problem.startswith("KAFKA_SSL_KEY_PASSWORD: ")
    assert str(unreadable) not in problem


@pytest.mark.parametrize(
    ("given", "modes"),
    [
        ("metrics", (Mode.METRICS,)),
        ('"backend"', (Mode.BACKEND,)),
        ('["metrics", "middletier"]', (Mode.METRICS, Mode.MIDDLETIER)),
        ('["backend", "backend"]', (Mode.BACKEND,)),
    ],
)
def test_the_modes_are_one_name_or_an_ordered_list(given: str, modes: tuple[Mode, ...]) -> None:
    """The handlers of a message run in the order of the list."""
    assert load(THOTH_CONSUMER_MODE=given).thoth_consumer_mode == modes


@pytest.mark.parametrize(
    ("given", "repo_init", "adviser"),
    [
        ("0", False, False),
        ("1", True, True),
        ("5", True, True),
        ('["thoth.repo-init"]', True, False),
        ("[]", False, False),
    ],
)
def test_ack_on_fail_applies_to_all_topics_or_to_the_listed_ones(given: str, *, repo_init: bool, adviser: bool) -> None:
    """The topics that are not in the list are still halted."""
    settings = load(THOTH_INVESTIGATOR_ACK_ON_FAIL=given)
    assert settings.acks_on_fail("thoth.repo-init") is repo_init
    assert settings.acks_on_fail("thoth.adviser-trigger") is adviser


def test_unknown_base_names_in_ack_on_fail_are_found() -> None:
    """With a misspelt base name, the topic that the operator meant would be halted without a hint."""
    settings = load(THOTH_INVESTIGATOR_ACK_ON_FAIL='["thoth.repo-init", "repo-init"]')
    assert settings.unknown_ack_on_fail({"thoth.repo-init"}) == ["repo-init"]
    assert load(THOTH_INVESTIGATOR_ACK_ON_FAIL="1").unknown_ack_on_fail({"thoth.repo-init"}) == []


def test_the_password_of_the_private_key_may_be_in_a_file(tmp_path: Path) -> None:
    """Mounted secrets are files, and editors add a newline at the end."""
    file = tmp_path / "password"
    file.write_text("opens sesame\n", encoding="utf-8")
    assert load(KAFKA_SSL_KEY_PASSWORD=str(file)).kafka_ssl_key_password == SecretStr("opens sesame")
    assert load(KAFKA_SSL_KEY_PASSWORD="opens sesame").kafka_ssl_key_password == SecretStr("opens sesame")
    assert load(KAFKA_SSL_KEY_PASSWORD="x" * 10_000).kafka_ssl_key_password == SecretStr("x" * 10_000)


def test_a_key_without_its_certificate_is_refused(tmp_path: Path) -> None:
    """Otherwise the connection fails later, with a less helpful message."""
    key = tmp_path / "key.pem"
    key.touch()
    (problem,) = problems(KAFKA_SSL_KEY_LOCATION=str(key))
    assert "KAFKA_SSL_CERTIFICATE_LOCATION is not set" in problem


@pytest.mark.parametrize(
    ("given", "level"), [("1", "DEBUG"), ("0", "INFO"), ("true", "DEBUG"), ("warning", "WARNING"), ("debug", "DEBUG")]
)
def test_the_log_level_is_0_or_1_or_a_name(given: str, level: str) -> None:
    """Deployments of Thoth set DEBUG_LEVEL to 0 or 1; operators also write names."""
    assert load(DEBUG_LEVEL=given).debug_level == level


def test_printed_settings_contain_no_password() -> None:
    """Settings may appear in tracebacks and debug logs."""
    settings = load(KAFKA_SASL_PASSWORD="hunter2", KNOWLEDGE_GRAPH_PASSWORD="hunter2", SENTRY_DSN="hunter2")
    assert "hunter2" not in f"{settings!r} {settings}"
    assert list(settings.secrets()).count("hunter2") == 3


def test_the_settings_come_from_the_environment_of_the_process_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables of a pod configure its worker."""
    for name, text in REQUIRED.items():
        monkeypatch.setenv(name, text)
    monkeypatch.setenv("KAFKA_CLIENT_ID", "worker-3")
    assert load_settings().kafka_client_id == "worker-3"


def test_every_setting_has_a_purpose_a_format_and_a_section() -> None:
    """The reference in the documentation is generated from them, without a gap."""
    assert all(setting.purpose.endswith(".") and setting.form and setting.section for setting in reference())
    assert {setting.variable for setting in reference() if setting.required} == set(REQUIRED)
    assert {setting.name for setting in reference()} == set(Settings.model_fields)


@pytest.mark.parametrize(
    ("name", "given", "read"),
    [
        ("KAFKA_SECURITY_PROTOCOL", "ssl", "SSL"),
        ("KAFKA_SASL_MECHANISM", "scram-sha-512", "SCRAM-SHA-512"),
        ("KAFKA_SSL_ENDPOINT_IDENTIFICATION_ALGORITHM", "None", "none"),
        ("KAFKA_CONSUMER_AUTO_OFFSET_RESET", "Latest", "latest"),
        ("DEBUG_LEVEL", "2", "DEBUG"),
        ("DEBUG_LEVEL", "00", "INFO"),
        ("THOTH_INVESTIGATOR_SCHEDULE_SOLVER", "2", True),
        ("THOTH_INVESTIGATOR_SCHEDULE_SOLVER", "00", False),
        ("ARGO_PENDING_SLEEP_TIME", "0", 0.1),
        ("THOTH_INVESTIGATOR_SESSION_TIMEOUT", "120", 120),
    ],
)
def test_spellings_of_earlier_deployments_are_accepted(name: str, given: str, read: object) -> None:
    """They meant what they mean now."""
    assert getattr(load(**{name: given}), name.lower()) == read


def test_a_sasl_protocol_in_lower_case_requires_its_settings_too() -> None:
    """Otherwise the first connection would fail, without the name of a variable."""
    assert any("KAFKA_SASL_PASSWORD" in problem for problem in problems(KAFKA_SECURITY_PROTOCOL="sasl_ssl"))
