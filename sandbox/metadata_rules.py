# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes' validation of an object's metadata: name, labels and annotations."""

import re
from typing import Any

from sandbox.statuses import invalid

__all__ = ["check_metadata"]

_NAME_LENGTH = 253
_LABEL_LENGTH = 63
_ANNOTATIONS_BYTES = 256 * 1024
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-\w.]*[A-Za-z0-9])?)?", re.ASCII)
_LABEL_NAME = re.compile(r"[A-Za-z0-9]([-\w.]*[A-Za-z0-9])?", re.ASCII)


def check_metadata(kind: str, group: str, metadata: dict[str, Any]) -> None:
    """Raise a Refusal with status 422 that names the first invalid field of the metadata, if there is one."""
    name = str(metadata.get("name") or "")
    for field, why in _problems(name, metadata.get("labels") or {}, metadata.get("annotations") or {}):
        raise invalid(kind, group, name, field, why)


def _problems(name: str, labels: dict[str, Any], annotations: dict[str, Any]) -> list[tuple[str, str]]:
    problems = [("metadata.name", why) for why in _name_problems(name)]
    problems += [("metadata.labels", why) for label, value in labels.items() for why in _label_problems(label, value)]
    problems += [("metadata.annotations", why) for key in annotations for why in _key_problems(key)]
    if sum(len(f"{key}{value}".encode()) for key, value in annotations.items()) > _ANNOTATIONS_BYTES:
        problems.append(("metadata.annotations", f"Too long: must have at most {_ANNOTATIONS_BYTES} bytes"))
    return problems


def _name_problems(name: str) -> list[str]:
    if len(name) > _NAME_LENGTH:
        return [f'Invalid value: "{name}": must be no more than {_NAME_LENGTH} characters']
    if not _SUBDOMAIN.fullmatch(name):
        return [f'Invalid value: "{name}": a lowercase RFC 1123 subdomain must consist of lower case alphanumerics']
    return []


def _label_problems(key: str, value: object) -> list[str]:
    if not isinstance(value, str) or len(value) > _LABEL_LENGTH or not _LABEL_VALUE.fullmatch(value):
        return [f'Invalid value: "{value}": a valid label has at most {_LABEL_LENGTH} alphanumerics, "-", "_" or "."']
    return _key_problems(key)


def _key_problems(key: str) -> list[str]:
    prefix, slash, name = key.rpartition("/")
    is_valid_name = len(name) <= _LABEL_LENGTH and _LABEL_NAME.fullmatch(name)
    if not is_valid_name or (slash and (len(prefix) > _NAME_LENGTH or not _SUBDOMAIN.fullmatch(prefix))):
        return [f'Invalid value: "{key}": a qualified name is expected']
    return []
