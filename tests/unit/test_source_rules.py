# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about the source files that no linter checks."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("agents", "benchmarks", "docs", "investigator", "sandbox", "tests", "tools")
SPDX = "# SPDX-License-Identifier: GPL-3.0-or-later"


def test_every_source_file_names_the_licence() -> None:
    """Each Python file begins with its SPDX line."""
    files = [file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py")]
    assert [str(file) for file in files if not file.read_text("utf-8").startswith(SPDX)] == []


@pytest.mark.skipif(sys.version_info < (3, 11), reason="tomllib is part of Python since 3.11")
def test_every_package_has_its_layer() -> None:
    """A new module or package directly in investigator/ is part of the layers contract."""
    import tomllib  # noqa: PLC0415  not there in every version that the tests run on

    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract["type"] == "layers")
    named = {name for layer in layers for name in layer.split(" | ")}
    children = {
        path.stem
        for path in (ROOT / "investigator").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert {f"investigator.{child}" for child in children - {"__init__"}} | {"agents"} == named
