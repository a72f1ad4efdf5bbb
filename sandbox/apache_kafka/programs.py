# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs that make up a broker: Java, which must be there, and Kafka's jars, which Maven fetches once.

Which jars these are is pinned twice: their versions in pom.xml, their contents in jars.sha256.
"""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from sandbox.broker import UnavailableError

__all__ = ["TamperedError", "jars", "java", "provide"]

_HERE = Path(__file__).parent
_POM = _HERE / "pom.xml"
_SUMS = _HERE / "jars.sha256"
_CACHE = _HERE.parent.parent / ".kafka"

_JAVA_VERSION = 17


class TamperedError(Exception):
    """What was fetched is not what it should be."""


def provide() -> Path:
    """Make sure of both, and give the folder of the jars; raises as `java` and `jars` do."""
    java()
    return jars()


@cache
def java() -> str:
    """Give the path of Java, of JAVA_HOME where that is set; raises UnavailableError where it is none or too old."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=f"{home}/bin" if home else None)
    if found is None:
        raise UnavailableError(f"Apache Kafka needs Java {_JAVA_VERSION} or newer, and there is none on the path.")
    told = subprocess.run([found, "-version"], check=False, capture_output=True, text=True).stderr
    version = re.search(r'version "(\d+)', told)
    if version is None or int(version[1]) < _JAVA_VERSION:
        raise UnavailableError(f"Apache Kafka needs Java {_JAVA_VERSION} or newer; {found} says: {told.strip()}")
    return found


def jars() -> Path:
    """Give the folder of the jars; fetches them where they are missing.

    Raises:
        UnavailableError: they can't be fetched.
        TamperedError: what was fetched is something else.
    """
    folder = _folder()
    if not folder.is_dir():
        _CACHE.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=_CACHE) as fetched:
            content = Path(fetched) / "jars"
            _fetch(content)
            _check(content)
            content.rename(folder)
    return folder


def _folder() -> Path:
    digest = hashlib.sha256(_POM.read_bytes() + _SUMS.read_bytes())
    return _CACHE / digest.hexdigest()[:16]


def _maven() -> str:
    found = shutil.which("mvn")
    if found is None:
        raise UnavailableError("Apache Kafka is fetched by Maven, and there is no `mvn` on the path.")
    return found


def _fetch(folder: Path) -> None:
    options = ["-q", "-B", "--strict-checksums", "-f", str(_POM)]
    goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={folder}"]
    done = subprocess.run([_maven(), *options, *goal], check=False, capture_output=True, text=True)
    if done.returncode:
        raise UnavailableError(f"Maven could not fetch Apache Kafka:\n{(done.stdout + done.stderr).strip()[-2000:]}")


def _check(folder: Path) -> None:
    wanted = {name: digest for digest, name in map(str.split, _SUMS.read_text("ascii").splitlines())}
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    if differing := sorted(name for name, _ in wanted.items() ^ found.items()):
        raise TamperedError(f"what Maven fetched is not what {_SUMS} tells: {', '.join(dict.fromkeys(differing))}")
