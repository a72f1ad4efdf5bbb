# SPDX-License-Identifier: GPL-3.0-or-later
"""Argo evaluates no text of a message, and no parameter is too large for its way into a process."""

import json
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from investigator.argo.parameters import ParameterError, SizeLimits, checked_parameters, json_size

BRACES = st.text(alphabet='{}=x"\\ \u007b', max_size=12)
JSON_TEXTS = st.recursive(
    BRACES | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(BRACES, inner, max_size=3),
    max_leaves=8,
).filter(lambda value: isinstance(value, dict | list))


@given(JSON_TEXTS, st.booleans())
def test_json_keeps_its_meaning_without_a_tag(content: object, nested: bool) -> None:  # noqa: FBT001 - of hypothesis
    """Also JSON inside of JSON."""
    text = json.dumps({"nested": json.dumps(content)} if nested else content)
    [checked] = checked_parameters({"P": text}, SizeLimits()).values()
    assert "{{" not in checked
    assert json.loads(checked) == json.loads(text)


@given(BRACES, BRACES)
def test_texts_that_follow_each_other_form_no_tag(first: str, second: str) -> None:
    """A template may put one value behind another."""
    try:
        checked = checked_parameters({"A": first, "B": second}, SizeLimits())
    except ParameterError:
        return
    assert "{{" not in "".join(checked.values())


@pytest.mark.parametrize("text", ["{{x}}", "{{=x}}", "a{{x", "{{{", "x{", "{=x}", '"{{x}}"', "{{'a': 1}}", "{", "a\0b"])
def test_other_texts_are_refused_by_name_without_their_value(text: str) -> None:
    """The value may be a password."""
    with pytest.raises(ParameterError, match="parameter NAME has") as caught:
        checked_parameters({"OTHER": "x", "NAME": text}, SizeLimits())
    assert text == "{" or text not in str(caught.value)


@pytest.mark.parametrize("text", ["", "flask===2.0", "a}}", "{}", '{"a": "{"}', "[]", "${A}", "a{b}c"])
def test_harmless_texts_stay_as_they_are(text: str) -> None:
    """No value changes without need."""
    assert checked_parameters({"P": text}, SizeLimits()) == {"P": text}


@pytest.mark.parametrize(("name", "character"), product(["P", "WEBHOOK_PAYLOAD"], ["x", "é", "漢", "😀"]))
def test_the_size_of_a_parameter_is_that_of_an_environment_variable(name: str, character: str) -> None:
    """Name, equals sign, value in UTF-8, and the null at the end."""
    room = 131_072 - len(f"{name}=\0")
    size = len(character.encode())
    fits = character * (room // size) + "x" * (room % size)
    assert checked_parameters({name: fits}, SizeLimits()) == {name: fits}
    with pytest.raises(ParameterError, match=f"parameter {name} has 131073 bytes"):
        checked_parameters({name: f"{fits}x"}, SizeLimits())


def test_the_size_counts_after_the_escape() -> None:
    """The escaped text is the one that is passed on."""
    text = json.dumps(["{{" * 30_000])
    with pytest.raises(ParameterError, match="parameter P has"):
        checked_parameters({"P": text}, SizeLimits())


def test_parameters_are_limited_together() -> None:
    """The workflow is never smaller than they are; the error names the largest one."""
    texts = {f"P{number}": "x" * 100_000 for number in range(15)} | {"LARGEST": "y" * 110_000}
    with pytest.raises(ParameterError, match=r"the workflow has at least \d+ bytes .* parameter LARGEST has 110002"):
        checked_parameters(texts, SizeLimits())


def test_the_size_of_json_is_that_of_utf_8() -> None:
    """As the cluster stores it."""
    assert json_size({"a": "é\n"}) == len('{"a":"é\\n"}'.encode())
