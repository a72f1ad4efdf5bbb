# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts of messages as parameters of workflows: never evaluated by Argo, and never too large to be passed on.

Argo replaces ``{{...}}`` wherever it finds it, also in the values of parameters. In JSON the second brace is escaped,
which changes the text but not its meaning. Any other text with a tag is refused.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from investigator.delivery.errors import PermanentError

_TAG = "{{"
_ESCAPED_TAG = "{\\u007b"


class ParameterError(PermanentError):
    """A message asks for a parameter that a workflow can't have; the text names it, and has no value."""


@dataclass(frozen=True, slots=True)
class SizeLimits:
    """The sizes in bytes that Kubernetes and Linux can handle.

    Attributes:
        parameter: one parameter as an environment variable, with its name; MAX_ARG_STRLEN of Linux.
        workflow: one workflow as JSON; etcd refuses larger requests.
    """

    parameter: int = 131_072
    workflow: int = 1_572_864


def checked_parameters(parameters: Mapping[str, object], limits: SizeLimits) -> dict[str, str]:
    """Return the parameters as texts that Argo does not evaluate; None is the empty text.

    Raises:
        ParameterError: a text that is no JSON has a tag of Argo, or could form one with a neighbouring text; or a
            parameter, or all of them together, are too large; or a text has a null character.
    """
    texts = {name: _inert(name, "" if value is None else str(value)) for name, value in parameters.items()}
    for name, text in texts.items():
        _check_size(name, text, limits.parameter)
    check_workflow_size({"parameters": texts}, texts, limits.workflow)
    return texts


def check_workflow_size(workflow: Mapping[str, object], parameters: Mapping[str, str], limit: int) -> None:
    """Raise ParameterError if the workflow has more than ``limit`` bytes; name its largest parameter."""
    if (size := json_size(workflow)) > limit:
        largest = max(parameters, key=lambda name: json_size(parameters[name]), default="")
        rest = f", of which parameter {largest} has {json_size(parameters[largest])}" if largest else ""
        raise ParameterError(f"the workflow has at least {size} bytes of {limit}{rest}")


def json_size(content: object) -> int:
    """Return the size in bytes of the JSON that the cluster stores."""
    return len(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass"))


def _inert(name: str, text: str) -> str:
    if "\0" in text:
        raise ParameterError(f"parameter {name} has a null character, which no environment variable can have")
    if _TAG not in text and not text.startswith("{") and not text.endswith("{"):
        return text
    if not _is_json(text):
        raise ParameterError(f"parameter {name} has {_TAG} in its text, or a brace at an end, which Argo may evaluate")
    return text.replace(_TAG, _ESCAPED_TAG)  # in JSON two braces follow each other only inside a string


def _is_json(text: str) -> bool:
    """Return whether the text is a JSON object or array."""
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False


def _check_size(name: str, text: str, limit: int) -> None:
    size = len(f"{name}={text}\0".encode(errors="surrogatepass"))
    if size > limit:
        raise ParameterError(f"parameter {name} has {size} bytes as an environment variable, more than {limit}")
