# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs of a broker: Java, which must be installed, and Kafka's jars, which Maven fetches once.

The jars are pinned twice: by version in pom.xml, by checksum in jars.sha256.
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
    """The checksums of the fetched jars differ from the pinned ones."""


def provide() -> Path:
    """Check Java, fetch the jars if they are missing, and return their folder.

    Raises:
        UnavailableError: Java is missing or too old, or Maven cannot fetch the jars.
        TamperedError: the checksums of the fetched jars are wrong.
    """
    java()
    return jars()


@cache
def java() -> str:
    """Return the path of Java, from JAVA_HOME if that is set; raises UnavailableError if it is missing or too old."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=f"{home}/bin" if home else None)
    if found is None:
        raise UnavailableError(f"Apache Kafka needs Java {_JAVA_VERSION} or newer, and `java` is not on the path.")
    output = subprocess.run([found, "-version"], check=False, capture_output=True, text=True).stderr
    version = re.search(r'version "(\d+)', output)
    if version is None or int(version[1]) < _JAVA_VERSION:
        raise UnavailableError(f"Apache Kafka needs Java {_JAVA_VERSION} or newer; {found} says: {output.strip()}")
    return found


def jars() -> Path:
    """Return the folder of the jars; fetches them if they are missing.

    Raises:
        UnavailableError: Maven is missing or cannot fetch the jars.
        TamperedError: the checksums of the fetched jars are wrong.
    """
    folder = _folder()
    if not folder.is_dir():
        _CACHE.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=_CACHE) as fetched:
            unchecked = Path(fetched) / "jars"
            _fetch(unchecked)
            _check(unchecked)
            unchecked.rename(folder)
    return folder


def _folder() -> Path:
    digest = hashlib.sha256(_POM.read_bytes() + _SUMS.read_bytes())
    return _CACHE / digest.hexdigest()[:16]


def _maven() -> str:
    found = shutil.which("mvn")
    if found is None:
        raise UnavailableError("Maven fetches Apache Kafka, and `mvn` is not on the path.")
    return found


def _fetch(folder: Path) -> None:
    options = ["-q", "-B", "--strict-checksums", "-f", str(_POM)]
    goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={folder}"]
    done = subprocess.run([_maven(), *options, *goal], check=False, capture_output=True, text=True)
    if done.returncode:
        raise UnavailableError(f"Maven could not fetch Apache Kafka:\n{(done.stdout + done.stderr).strip()[-2000:]}")


def _check(folder: Path) -> None:
    pinned = {name: digest for digest, name in map(str.split, _SUMS.read_text("ascii").splitlines())}
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    if differing := sorted(name for name, _ in pinned.items() ^ found.items()):
        raise TamperedError(f"the jars that Maven fetched differ from {_SUMS}: {', '.join(dict.fromkeys(differing))}")
