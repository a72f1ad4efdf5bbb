# SPDX-License-Identifier: GPL-3.0-or-later
"""Read `tools/guarantees.yaml`: the guarantees, and the faults in the code that would break them."""

from pathlib import Path
from typing import NamedTuple

import yaml

_FILE = Path(__file__).with_suffix(".yaml")


class Fault(NamedTuple):
    """A fault that breaks a guarantee.

    Args:
        fault: what the code does wrong.
        file: the file, relative to the root of the repository.
        old: the right code, which the file has exactly once.
        new: the wrong code.
        test: the test that fails then, as pytest names it.
    """

    fault: str
    file: str
    old: str
    new: str
    test: str


class Guarantee(NamedTuple):
    """What investigator guarantees.

    Args:
        guarantee: the guarantee, in a sentence.
        end_to_end: the test modules that check it with real workers.
        faults: faults that would break it.
    """

    guarantee: str
    end_to_end: list[str]
    faults: list[Fault]


def load_guarantees() -> list[Guarantee]:
    """Return all guarantees, in the order of the file."""
    content = yaml.safe_load(_FILE.read_text("utf-8"))
    return [Guarantee(**{**each, "faults": [Fault(**fault) for fault in each["faults"]]}) for each in content]


def load_faults() -> list[Fault]:
    """Return the faults of all guarantees."""
    return [fault for guarantee in load_guarantees() for fault in guarantee.faults]
