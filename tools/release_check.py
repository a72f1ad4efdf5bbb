# SPDX-License-Identifier: GPL-3.0-or-later
"""Check that the checkout can be released: `python -m tools.release_check`; docs/releasing.md says when to run it.

The version and the changelog must agree, and a wheel that is built from the tracked files must work where the checkout
is not. Nothing is downloaded: the wheel is built by the installed setuptools, and sees the installed dependencies.
"""

import ast
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

from tools import changelog

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = ("worker", "halts", "halt", "resume", "dead-letters")

#: A value for every variable without a default: Faust's program reads the settings before it prints its help.
ENVIRONMENT = {
    "KAFKA_BOOTSTRAP_SERVERS": "localhost:9092",
    "KAFKA_CONSUMER_GROUP_ID": "release-check",
    "THOTH_DEPLOYMENT_NAME": "release-check",
    "THOTH_INFRA_NAMESPACE": "infra",
    "THOTH_BACKEND_NAMESPACE": "backend",
    "THOTH_MIDDLETIER_NAMESPACE": "middletier",
    "THOTH_CEPH_BUCKET_PREFIX": "data",
    "THOTH_CEPH_BUCKET": "thoth",
    "THOTH_S3_ENDPOINT_URL": "https://s3.example.com",
}


class ReleaseError(Exception):
    """A step that did not work; the text says what to do."""


def version_of(source: str) -> str:
    """Return the text that a module assigns to `__version__`.

    Raises:
        ReleaseError: it assigns none.
    """
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["__version__"]:
            return str(ast.literal_eval(node.value))
    raise ReleaseError('Assign the version in investigator/__init__.py: __version__ = "1.2.3".')


def version_problems(version: str, log: str) -> list[str]:
    """Return where a version and the text of the changelog disagree, each with what to do about it."""
    try:
        parsed = Version(version)
    except InvalidVersion:
        return [f"__version__ is {version!r}: write a version by PEP 440, such as '1.2.3' or '1.2.3rc1'."]
    sections = changelog.sections(log)
    releases = [section.version for section in sections if section.version is not None]
    unreleased = [section for section in sections if not section.is_released]
    if newer := [str(release) for release in releases if release > parsed]:
        return [f"CHANGELOG.md has {newer[0]}, which is newer than __version__ {version}: raise __version__."]
    if parsed in releases and any(section.groups for section in unreleased):
        return [f"{version} is released, and CHANGELOG.md has unreleased changes: raise __version__."]
    if parsed not in releases and not unreleased:
        return [f"CHANGELOG.md says nothing about {version}: write '## [{changelog.UNRELEASED}]' with what changed."]
    return []


def check_wheel(root: Path, version: str) -> None:
    """Build a wheel, install it into a virtual environment of its own, and run Faust's program there.

    Raises:
        ReleaseError: one of these does not work.
    """
    with tempfile.TemporaryDirectory(prefix="release-check-") as name:
        folder = Path(name)
        _copy_tracked_files(root, folder / "source")
        wheel = _built(folder)
        if not wheel.name.startswith(f"investigator-{Version(version)}-"):
            raise ReleaseError(f"The wheel is {wheel.name}: let pyproject.toml take the version from __version__.")
        _check_program(_installed(wheel, folder / "venv"), folder / "elsewhere")


def _copy_tracked_files(root: Path, target: Path) -> None:
    # A build in the checkout leaves files behind, and would find what is not tracked.
    names = _run(["git", "ls-files", "-z"], "Run this in a git checkout.", cwd=root).split("\0")
    for name in filter(None, names):
        if (root / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / name, target / name)


def _built(folder: Path) -> Path:
    # setuptools needs a newer `packaging` than thoth-python allows. It brings one, but prefers one that is installed.
    vendored = Path(sysconfig.get_path("purelib"), "setuptools", "_vendor")
    environment = {**os.environ, "PYTHONPATH": str(vendored)}
    options = ["--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", str(folder)]
    command = [sys.executable, "-m", "pip", "wheel", *options, str(folder / "source")]
    _run(command, "No wheel can be built: correct pyproject.toml by the error above.", env=environment)
    return next(folder.glob("*.whl"))


def _installed(wheel: Path, venv: Path) -> Path:
    """Return the Python of a virtual environment with the wheel, which sees the dependencies that this one has."""
    _run([sys.executable, "-m", "venv", "--without-pip", str(venv)], "Python's module venv has to work.")
    python = venv / "bin" / "python"
    options = ["--quiet", "--no-deps", "--no-index"]
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", *options, str(wheel)]
    _run(command, "The wheel can't be installed: correct pyproject.toml by the error above.")
    for site_packages in venv.glob("lib/python*/site-packages"):
        line = f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"
        (site_packages / "dependencies.pth").write_text(line, encoding="utf-8")
    return python


def _check_program(python: Path, folder: Path) -> None:
    folder.mkdir()
    remedy = "The wheel lacks a module or file: correct [tool.setuptools] in pyproject.toml by the error above."
    environment = {"PATH": os.environ.get("PATH", os.defpath), **ENVIRONMENT}
    where = "import investigator; print(investigator.__file__)"
    found = Path(_run([str(python), "-c", where], remedy, cwd=folder, env=environment).strip())
    if python.parent.parent not in found.parents:
        raise ReleaseError(f"The check ran {found} instead of the wheel: uninstall investigator from {sys.prefix}.")
    command = [str(python), "-m", "faust", "-A", "investigator", "--help"]
    described = _run(command, remedy, cwd=folder, env=environment).split()
    if missing := [name for name in COMMANDS if name not in described]:
        raise ReleaseError(
            f"`faust -A investigator --help` lacks {', '.join(missing)}: let investigator/app.py add them."
        )


def _run(command: list[str], remedy: str, *, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    # The commands above are constants, but for paths of this checkout and of the temporary folder.
    options: dict[str, Any] = {"cwd": cwd, "env": env, "capture_output": True, "text": True, "timeout": 300}
    done = subprocess.run(command, **options, check=False)  # noqa: S603 - see above
    if done.returncode:
        raise ReleaseError(f"{done.stdout}{done.stderr}\n{remedy}")
    return str(done.stdout)


def main(root: Path = ROOT) -> int:
    """Print what keeps the checkout from being released, or that nothing does; return the exit status."""
    log = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    try:
        version = version_of((root / "investigator" / "__init__.py").read_text(encoding="utf-8"))
        problems = [*changelog.problems(log), *version_problems(version, log)]
        if not problems:
            check_wheel(root, version)
    except ReleaseError as error:
        problems = [str(error)]
    print("\n".join(problems) or f"{version} can be released: version, changelog and wheel are right")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
