# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands for operators, next to `faust -A investigator worker`; they run with or without workers.

    faust -A investigator halts
    faust -A investigator halt BASE_NAME
    faust -A investigator resume BASE_NAME --action skip
    faust -A investigator dead-letters list|show|replay

Faust's own commands cannot have subcommands, as `dead-letters` has. These are click's, added to Faust's program.
"""

import click

from investigator.cli.dead_letters import dead_letters
from investigator.cli.halts import halt, halts, resume
from investigator.cli.ports import Operations

__all__ = ["add_commands"]


def add_commands(program: click.Group, operations: Operations) -> None:
    """Add the commands to a program, in place of earlier commands of the same names."""
    for command in (halts(operations), halt(operations), resume(operations), dead_letters(operations)):
        program.add_command(command)
