# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator does from a command line, beside `faust -A investigator worker`, with or without workers running.

    faust -A investigator halts
    faust -A investigator halt BASE_NAME
    faust -A investigator resume BASE_NAME --action skip
    faust -A investigator dead-letters list|show|replay

Faust's own kind of command can't hold others as `dead-letters` does, so these are click's, added to Faust's program.
"""

import click

from investigator.cli.dead_letters import dead_letters
from investigator.cli.halts import halt, halts, resume
from investigator.cli.ports import Operations

__all__ = ["add_commands"]


def add_commands(program: click.Group, operations: Operations) -> None:
    """Add the commands to a program; where it has commands of these names, they are replaced."""
    for command in (halts(operations), halt(operations), resume(operations), dead_letters(operations)):
        program.add_command(command)
