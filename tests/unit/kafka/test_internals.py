# SPDX-License-Identifier: GPL-3.0-or-later
"""The private names of aiokafka and Faust: each exists as it is used, and none is used elsewhere.

If a test fails after an upgrade, compare the use of the name in `investigator/` with the new source, adapt
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

import investigator
from tests.unit.kafka.internal_names import ARGUMENTS, ATTRIBUTES, SIGNATURES, TESTED_ELSEWHERE

PACKAGE = Path(investigator.__file__).parent
FENCE = ("kafka/internals.py", "kafka/patches/", "streaming/")
LIBRARIES = ("aiokafka", "faust", "mode")

# Public names of the standard library, in spite of their underscore.
_DOCUMENTED = {"_exit", "_current_frames", "_replace"}


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
        for each in (consumer, consumer._client, producer, app, faust.Record):
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
        if (names := set(_foreign_names(tree)) - _DOCUMENTED)
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
    assert used - _known_names() - _DOCUMENTED == set()


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
    files = {path.stem for path in Path(__file__).parents[2].rglob("test_*.py")}
    assert set(TESTED_ELSEWHERE.values()) <= files
