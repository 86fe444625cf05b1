"""Where a command's result goes: a file that is whole or not there, else stdout."""

import argparse
import sys
from pathlib import Path

from kubert_tui.base.errors import ExitCode, UsageError
from kubert_tui.base.paths import write_public
from kubert_tui.base.text import clean_line


def add_output(parser: argparse.ArgumentParser) -> None:
    """Add --output."""
    parser.add_argument(
        "--output", "-o", metavar="FILE", help="where to write it; stdout if absent"
    )


def write(data: bytes, output: str | None, form: str) -> int:
    """Write a result; return the exit code. UsageError when it cannot be written."""
    if output:
        try:
            write_public(Path(output), data)
        except OSError as error:
            where = clean_line(output)
            raise UsageError(f"{where} cannot be written: {error.strerror}") from None
        print(f"{clean_line(output, limit=4096)}: written", file=sys.stderr)
        return int(ExitCode.OK)
    if form == "png" and sys.stdout.isatty():
        raise UsageError("a PNG does not go on a terminal", fix="add --output FILE.png")
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
    return int(ExitCode.OK)
