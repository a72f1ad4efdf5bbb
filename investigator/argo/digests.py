# SPDX-License-Identifier: GPL-3.0-or-later
"""Digests of what a message asks for, by which two messages with the same job id can be compared."""

import hashlib
import json
from collections.abc import Mapping

from investigator.argo.ids import workflow_id
from investigator.delivery.origin import Origin

_LENGTH = 32  # hexadecimal digits


def parameters_digest(arguments: Mapping[str, object], origin: Origin) -> str:
    """Return a digest of a workflow's arguments that is the same for every message that asks for the same.

    Passwords are left out, and so are ids that are derived from the message.
    """
    compared = {name: value for name, value in arguments.items() if _is_compared(name, value, origin)}
    text = json.dumps(compared, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:_LENGTH]


def _is_compared(name: str, value: object, origin: Origin) -> bool:
    return "password" not in name and not (isinstance(value, str) and _is_derived(name, value, origin))


def _is_derived(name: str, text: str, origin: Origin) -> bool:
    # Handlers name the step of such an id after the argument.
    return text == workflow_id(text.rsplit("-", 2)[0], origin, name)
