# SPDX-License-Identifier: GPL-3.0-or-later
import re
from pathlib import Path

import pytest

from tools.break_guarantees import broken
from tools.guarantees import Fault, load_faults, load_guarantees

ROOT = Path(__file__).parents[3]

every_fault = pytest.mark.parametrize("fault", load_faults(), ids=lambda fault: fault.fault)


@every_fault
def test_each_fault_can_be_made_in_the_present_code(fault: Fault) -> None:
    """The file has the right code exactly once, and is still Python with the wrong one."""
    right = (ROOT / fault.file).read_text("utf-8")
    compile(broken(fault, right), fault.file, "exec")
    assert fault.new != fault.old


@every_fault
def test_the_test_of_each_fault_exists(fault: Fault) -> None:
    """A test that was renamed is renamed in the list too."""
    file, _, name = fault.test.partition("::")
    assert re.search(rf"^(?:async )?def {name}\(", (ROOT / file).read_text("utf-8"), re.MULTILINE)


def test_the_guarantees_of_the_readme_have_faults_and_end_to_end_tests() -> None:
    """A guarantee without a test that fails is only a promise."""
    listed = (ROOT / "README.md").read_text("utf-8").partition("It guarantees:")[2].partition("\n## ")[0]
    promised = {each.rstrip(".") for each in re.findall(r"^- \*\*(.+?)\*\*", listed, re.MULTILINE)}
    assert promised
    assert promised <= {each.guarantee for each in load_guarantees()}
    assert [each.guarantee for each in load_guarantees() if not each.faults or not each.end_to_end] == []
    assert [file for each in load_guarantees() for file in each.end_to_end if not (ROOT / file).exists()] == []


def test_code_that_is_not_there_exactly_once_is_refused() -> None:
    """A fault in the wrong place would prove nothing."""
    fault = Fault("a fault", "file.py", "x = 1", "x = 2", "test.py::test")
    assert broken(fault, "x = 1\ny = 1\n") == "x = 2\ny = 1\n"
    for text in ("y = 1\n", "x = 1\nx = 1\n"):
        with pytest.raises(ValueError, match=r"file\.py has the code"):
            broken(fault, text)
