# SPDX-License-Identifier: GPL-3.0-or-later
"""The private names of aiokafka and Faust: each exists as it is used, none is used elsewhere, and versions are bounded.

If a test fails after an upgrade, compare the use of the name in `investigator/` with the library's new source, adapt
it, and only then the expectation here.
"""

import ast
import importlib
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import faust
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from packaging.specifiers import SpecifierSet

import investigator
from investigator.errors import StartupError
from investigator.kafka import internals

PACKAGE = Path(investigator.__file__).parent
FENCE = ("kafka/internals.py", "kafka/patches/", "streaming/")
LIBRARIES = ("aiokafka", "faust", "mode")

_FETCHER = "aiokafka.consumer.fetcher"
_CONSUMER = "faust.transport.drivers.aiokafka:Consumer"
_THREAD = "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread"
_WORKER = "mode.worker:Worker"

#: Callables that are overridden, or called by position -> all their parameters. Before the colon: the module.
SIGNATURES = {
    # Called by kafka/internals.py and kafka/patches.
    "aiokafka.consumer.group_coordinator:GroupCoordinator.check_errors": "self",
    "aiokafka.consumer.group_coordinator:GroupCoordinator.fetch_committed_offsets": "self, partitions",
    "aiokafka.consumer.subscription_state:Assignment.state_value": "self, tp",
    "aiokafka.consumer.subscription_state:SubscriptionState.fetch_context": "self",
    "aiokafka.consumer.subscription_state:TopicPartitionState.pause": "self",
    "aiokafka.consumer.subscription_state:TopicPartitionState.resume": "self",
    # Overridden by kafka/patches.
    f"{_FETCHER}:FetchResult._update_position": "self",
    f"{_FETCHER}:PartitionRecords._unpack_records": "self",
    "aiokafka.record.default_records:_DefaultRecordBatchPy._maybe_uncompress": "self",
    "aiokafka.record.memory_records:_MemoryRecordsPy.next_batch": "self, _min_slice, _magic_offset",
    # Overridden or called by streaming/.
    f"{_CONSUMER}._new_consumer_thread": "self",
    f"{_CONSUMER}._to_message": "self, tp, record",
    f"{_CONSUMER}._filter_tps_with_pending_acks": "self, topics",
    f"{_CONSUMER}._filter_committable_offsets": "self, tps",
    f"{_CONSUMER}._commit": "self, offsets",
    f"{_CONSUMER}._add_gap": "self, tp, offset_from, offset_to",
    f"{_THREAD}._create_worker_consumer": "self, transport",
    f"{_THREAD}._ensure_consumer": "self",
    f"{_THREAD}._fetch_records": "self, consumer, active_partitions, timeout, max_records",
    "faust.app.base:App._new_transport": "self",
    "faust.app.base:App._new_web": "self",
    "faust.app.base:App._create_directories": "self",
    f"{_WORKER}._schedule_shutdown": "self, signal",
    f"{_WORKER}._setup_logging": "self",
    f"{_WORKER}._redirect_stdouts": "self",
}

#: Callables of aiokafka that are in no documented interface, though without an underscore -> what is passed to them.
ARGUMENTS = {
    "aiokafka.client:AIOKafkaClient.send": "node_id, request",
    "aiokafka.client:AIOKafkaClient.get_random_node": "",
    "aiokafka.conn:create_conn": "host, port, request_timeout_ms, client_id, ssl_context, security_protocol, "
    "sasl_mechanism, sasl_plain_username, sasl_plain_password",
    "aiokafka.protocol.coordination:FindCoordinatorRequest": "coordinator_key, coordinator_type",
    "aiokafka.protocol.fetch:FetchRequest": "max_wait_time, min_bytes, max_bytes, isolation_level, topics",
    "aiokafka.protocol.group:HeartbeatRequest": "group, generation_id, member_id",
    "aiokafka.protocol.metadata:MetadataRequest": "topics, allow_auto_topic_creation",
    "aiokafka.protocol.produce:ProduceRequest": "transactional_id, required_acks, timeout, topics",
}

#: Attributes that only instances have, used by the fence.
ATTRIBUTES = {
    "AIOKafkaConsumer": {
        "_coordinator",
        "_fetch_max_wait_ms",
        "_fetcher",
        "_isolation_level",
        "_partition_assignment_strategy",
        "_subscription",
    },
    "AIOKafkaProducer": {"_sender"},
    "App": {"_extra_services"},
    "Record": {"_options"},
}

#: Names that a test beside this one uses in earnest, so that it fails when they are gone.
TESTED_ELSEWHERE = {
    "_DefaultRecordBatchPy": "test_header_names",
    "_MemoryRecordsPy": "test_header_names",
    "_buffer": "test_header_names",
    "_next_slice": "test_header_names",
    "_assignment": "test_unreadable_batches",
    "_partition_records": "test_unreadable_batches",
    "_topic_partition": "test_unreadable_batches",
    "_fetch_waiters": "test_fetching",
    "_consumer": "test_fetching",
    "_records": "test_fetch_wait",
    "_read_offset": "test_fetching",
    "_thread": "test_application",
    "_metrics": "test_monitor",
}


def _resolve(path: str) -> Callable[..., Any]:
    module, _, names = path.partition(":")
    found: Any = importlib.import_module(module)
    for name in names.split("."):
        found = getattr(found, name)
    return found  # type: ignore[no-any-return]  # all of these are callable


def _modules() -> Iterator[tuple[str, ast.Module]]:
    for path in PACKAGE.rglob("*.py"):
        yield str(path.relative_to(PACKAGE)), ast.parse(path.read_text("utf-8"))


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def _foreign_names(tree: ast.Module) -> Iterator[str]:
    """Return private names that a module reads of objects other than `self`, or imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and _is_private(node.attr):
            owner = node.value
            if not (isinstance(owner, ast.Name) and owner.id in ("self", "cls")):
                yield node.attr
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in LIBRARIES:
            yield from (alias.name for alias in node.names if _is_private(alias.name))


def _inherited_names(tree: ast.Module) -> Iterator[str]:
    """Return private names that classes read of `self` and neither set nor define."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield from _of_self(node, ast.Load) - _of_self(node, ast.Store) - _methods(node)


def _of_self(node: ast.ClassDef, context: type[ast.expr_context]) -> set[str]:
    """Return the private attributes of `self` that a class reads (Load) or sets (Store)."""
    return {
        each.attr
        for each in ast.walk(node)
        if isinstance(each, ast.Attribute) and _is_private(each.attr) and isinstance(each.ctx, context)
        if isinstance(each.value, ast.Name) and each.value.id == "self"
    }


def _methods(node: ast.ClassDef) -> set[str]:
    return {each.name for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}


def _known_names() -> set[str]:
    of_callables = {path.rpartition(":")[2].rpartition(".")[2] for path in SIGNATURES}
    return of_callables | set().union(*ATTRIBUTES.values()) | set(TESTED_ELSEWHERE)


@pytest.mark.parametrize("path", SIGNATURES)
def test_each_internal_callable_has_the_expected_parameters(path: str) -> None:
    """One that is called with others would fail at run time; one that is overridden would not be called at all."""
    assert ", ".join(_parameters(_resolve(path))) == SIGNATURES[path]


@pytest.mark.parametrize("path", ARGUMENTS)
def test_each_undocumented_callable_takes_the_arguments_that_it_is_called_with(path: str) -> None:
    """It may have other parameters, as long as they have defaults: that is seen by the tests that call it."""
    passed = set(filter(None, ARGUMENTS[path].split(", ")))
    assert passed <= set(inspect.signature(_resolve(path)).parameters)


def _parameters(function: Callable[..., Any]) -> Iterator[str]:
    keyword = False
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not keyword:
            keyword = True
            yield "*"
        yield parameter.name


async def test_each_internal_attribute_exists() -> None:
    """The objects are not started: nothing connects."""
    consumer, producer = AIOKafkaConsumer(), AIOKafkaProducer()
    app = faust.App("internals", broker="kafka://127.0.0.1:1")
    try:
        for each in (consumer, producer, app, faust.Record):
            name = each.__name__ if isinstance(each, type) else type(each).__name__
            assert {attribute for attribute in ATTRIBUTES[name] if not hasattr(each, attribute)} == set()
        assert isinstance(inspect.getattr_static(type(producer._sender), "sender_task"), property)
    finally:
        await consumer.stop()
        await producer.stop()


def test_no_module_outside_the_fence_uses_a_private_name_of_a_library() -> None:
    """Private names of our own are read of `self` alone, or inside their module."""
    outside = {
        module: names
        for module, tree in _modules()
        if not module.startswith(FENCE)
        if (names := set(_foreign_names(tree)) - {"_exit"})
    }
    assert outside == {}


def test_no_module_outside_the_fence_silences_the_check_for_private_names() -> None:
    """Ruff's SLF001 finds the rest: private attributes of variables that hold library objects."""
    silent = {
        str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py") if "noqa: SLF001" in path.read_text("utf-8")
    }
    assert {module for module in silent if not module.startswith(FENCE)} == set()


def test_every_private_name_that_the_fence_uses_is_checked() -> None:
    """A new use needs a line in the tables above, or a test that fails without the name."""
    inside = [tree for module, tree in _modules() if module.startswith(FENCE)]
    used = {name for tree in inside for name in (*_foreign_names(tree), *_inherited_names(tree))}
    assert used - _known_names() - {"_exit"} == set()


def test_every_private_method_that_is_overridden_is_checked() -> None:
    """An override whose base method is gone would silently never be called."""
    overridden = {
        name
        for cls, names in _classes_of_the_fence()
        for name in names
        if _is_private(name) and any(name in vars(base) for base in cls.__mro__[1:])
    }
    assert overridden - _known_names() == set()


def _classes_of_the_fence() -> Iterator[tuple[type, set[str]]]:
    """Return each class with the names of its own methods."""
    for module, tree in _modules():
        if module.startswith(FENCE):
            loaded = importlib.import_module("investigator." + module.removesuffix(".py").replace("/", "."))
            for node in tree.body:
                if isinstance(node, ast.ClassDef):
                    yield getattr(loaded, node.name), _methods(node)


def test_the_tests_that_use_names_in_earnest_exist() -> None:
    """A renamed test file would leave its names unchecked."""
    files = {path.stem for path in Path(__file__).parents[1].rglob("test_*.py")}
    assert set(TESTED_ELSEWHERE.values()) <= files


def test_installed_versions_are_tested_ones() -> None:
    """A worker starts with the libraries that requirements.txt pins."""
    internals.refuse_untested_versions()


@pytest.mark.parametrize("installed", ["0.12.0", "0.15.0", "0.15.0rc1", "1.0"])
def test_a_start_on_an_untested_version_is_refused(installed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the installed and the tested versions, and what to do."""
    versions = {"aiokafka": installed, "faust-streaming": "0.15.3", "mode-streaming": "0.7.1"}
    monkeypatch.setattr(internals, "version", versions.__getitem__)
    with pytest.raises(StartupError) as refusal:
        internals.refuse_untested_versions()
    text = str(refusal.value)
    assert f"aiokafka {installed} is installed, but only versions >=0.13,<0.15 are tested" in text
    assert "pip install -r requirements.txt" in text
    assert "faust" not in text


def test_the_refusal_ends_the_process_with_its_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes before the application is imported, which may fail on such a version."""
    monkeypatch.setattr(internals, "version", lambda _: "99.0")
    with pytest.raises(SystemExit, match=r"mode-streaming 99\.0 is installed"):
        investigator.__getattr__("app")


def test_the_bounds_of_the_package_are_the_tested_versions() -> None:
    """What pip installs, a worker starts with."""
    tomllib = pytest.importorskip("tomllib")  # since Python 3.11
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text("utf-8"))["project"]
    for name, tested in internals.TESTED_VERSIONS.items():
        (bounds,) = [each.removeprefix(name) for each in project["dependencies"] if each.startswith(f"{name}>")]
        assert SpecifierSet(bounds) == SpecifierSet(tested)
