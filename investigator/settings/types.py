# SPDX-License-Identifier: GPL-3.0-or-later
"""The types of settings: each validates and converts the text of an environment variable."""

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from investigator.settings.modes import Mode

T = TypeVar("T")

_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_TOPIC_PREFIX = re.compile(r"[a-zA-Z0-9._-]{1,200}")
_SERVER = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):(?P<port>[0-9]{1,5})")
_LAST_PORT = 65535
_SHORTEST_KEY = 32
_SHORTEST_POLL_SECONDS = 0.1
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


@dataclass(frozen=True)
class Format:
    """How an operator writes a value, for the reference and for error messages."""

    text: str


@dataclass(frozen=True)
class Unit:
    """The unit of a number."""

    text: str


def _refuse_unless(accepts: Callable[[T], object], rule: str) -> AfterValidator:
    def check(value: T) -> T:
        if not accepts(value):
            raise ValueError(rule)
        return value

    return AfterValidator(check)


def _zero_or_one(value: object) -> object:
    # thoth-common and thoth-storages read some of these with int(): a word such as `true` would make them fail later.
    if not isinstance(value, str):
        return value
    if not value.isdecimal():
        raise ValueError("expected 0 or 1")
    return int(value) > 0


def _is_readable_file(path: Path) -> bool:
    return path.is_file() and os.access(path, os.R_OK)


def _has_host(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def _is_server(server: str) -> bool:
    match = _SERVER.fullmatch(server)
    return match is not None and 0 < int(match["port"]) <= _LAST_PORT


def _servers(value: object) -> object:
    if not isinstance(value, str):
        return value
    servers = tuple(part.strip() for part in value.split(",") if part.strip())
    if not servers:
        raise ValueError("no server is named")
    if wrong := [server for server in servers if not _is_server(server)]:
        raise ValueError(f"not of the form host:port: {', '.join(map(repr, wrong))}")
    return servers


def _json(text: str) -> Any:  # noqa: ANN401  (JSON may hold anything)
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"not valid JSON ({error})") from error


def _modes(value: object) -> object:
    if not isinstance(value, str):
        return value
    content = _json(value) if value.lstrip().startswith(("[", '"')) else value
    names = content if isinstance(content, list) else [content]
    known = {mode.value for mode in Mode}
    if not names or any(name not in known for name in map(str, names)):
        raise ValueError("no mode, or an unknown mode")
    return tuple(dict.fromkeys(Mode(name) for name in names))


def _number_or_names(value: object) -> object:
    if not isinstance(value, str):
        return value
    content = _json(value)
    if isinstance(content, list) and all(isinstance(name, str) for name in content):
        return tuple(dict.fromkeys(content))
    if isinstance(content, int) and content >= 0:
        return int(content)
    raise ValueError("expected a number or a list of names")


def _password_or_file_content(value: object) -> object:
    # On some systems Path.is_file raises an error for a text that is too long or otherwise invalid as a path.
    try:
        is_file = isinstance(value, str) and Path(value).is_file()
    except (OSError, ValueError):
        is_file = False
    return Path(str(value)).read_text(encoding="utf-8").strip() if is_file else value


def _log_level(value: object) -> object:
    aliases = {"0": "INFO", "FALSE": "INFO", "1": "DEBUG", "TRUE": "DEBUG", "WARN": "WARNING"}
    text = str(value).upper()
    name = str(min(int(text), 1)) if text.isdecimal() else text
    if (level := aliases.get(name, name)) not in _LEVELS:
        raise ValueError("unknown log level")
    return level


IN_UPPER_CASE = BeforeValidator(lambda value: value.upper() if isinstance(value, str) else value)
IN_LOWER_CASE = BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value)
Flag = Annotated[bool, BeforeValidator(_zero_or_one), Format("0 or 1")]
PositiveInt = Annotated[int, Field(ge=1), Format("whole number, at least 1")]
NonNegativeInt = Annotated[int, Field(ge=0), Format("whole number, at least 0")]
Port = Annotated[int, Field(ge=1, le=_LAST_PORT), Format("port number")]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False), Format("number above 0"), Unit("seconds")]
NonNegativeSeconds = Annotated[float, Field(ge=0, allow_inf_nan=False), Format("number, at least 0"), Unit("seconds")]
PollSeconds = Annotated[
    float,
    Field(ge=0, allow_inf_nan=False),
    AfterValidator(lambda seconds: max(seconds, _SHORTEST_POLL_SECONDS)),
    Format("number, at least 0"),
    Unit("seconds"),
]
Ratio = Annotated[float, Field(gt=0, le=1), Format("number above 0, at most 1")]
Milliseconds = Annotated[int, Field(ge=1), Format("whole number, at least 1"), Unit("milliseconds")]
Bytes = Annotated[int, Field(ge=1), Format("whole number, at least 1"), Unit("bytes")]
Password = Annotated[SecretStr, Format("text, never shown")]
SecretKey = Annotated[
    SecretStr,
    _refuse_unless(
        lambda key: len(key.get_secret_value()) >= _SHORTEST_KEY, f"shorter than {_SHORTEST_KEY} characters"
    ),
    Format(f"random text of at least {_SHORTEST_KEY} characters, never shown"),
]
PasswordOrFile = Annotated[
    SecretStr,
    BeforeValidator(_password_or_file_content),
    Format("text or the path of a file that holds it, never shown"),
]
AutoCommit = Annotated[
    bool,
    _refuse_unless(
        lambda on: not on, "a timer would commit messages that are not handled, and the next crash would lose them"
    ),
    Format("false, or remove the variable"),
]
Kubeconfig = Annotated[
    str,
    _refuse_unless(lambda paths: any(map(_is_readable_file, map(Path, paths.split(":")))), "no readable file"),
    Format("path of a file, several separated by colons"),
]
ReadableFile = Annotated[Path, _refuse_unless(_is_readable_file, "not a readable file"), Format("path of a file")]
Url = Annotated[str, _refuse_unless(_has_host, "must begin with http:// or https:// and name a host"), Format("URL")]
Namespace = Annotated[
    str,
    _refuse_unless(_NAMESPACE.fullmatch, "must be a name of lower-case letters, digits and dashes"),
    Format("name of a namespace"),
]
TopicPrefix = Annotated[
    str,
    _refuse_unless(_TOPIC_PREFIX.fullmatch, "may have letters, digits, dots, dashes and underscores only"),
    Format("name"),
]
Servers = Annotated[
    tuple[str, ...], NoDecode, BeforeValidator(_servers), Format("host:port, several separated by commas")
]
Modes = Annotated[
    tuple[Mode, ...],
    NoDecode,
    BeforeValidator(_modes),
    Format(f"one of {', '.join(mode.value for mode in Mode)}, or a JSON list of them"),
]
NumberOrNames = Annotated[
    int | tuple[str, ...], NoDecode, BeforeValidator(_number_or_names), Format("0, 1, or a JSON list of base names")
]
LogLevel = Annotated[str, BeforeValidator(_log_level), Format(f"0, 1, or one of {', '.join(_LEVELS)}")]
