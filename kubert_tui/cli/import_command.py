"""`kubert-tui import`: keep what others measured as a stored measurement of ours."""

import argparse
import re
from pathlib import Path
from typing import Any

from kubert_tui.base.errors import ExitCode, UsageError
from kubert_tui.base.paths import imported
from kubert_tui.base.text import clean_line
from kubert_tui.latency.store import save
from kubert_tui.results.evidence import evidence_of
from kubert_tui.results.foreign import read_foreign
from kubert_tui.results.foreign_parts import Told
from kubert_tui.results.verdict import judge

_EPILOG = """\
Takes what cyclictest printed with --histogram (any version, also as OSADL's and SEAPATH's scripts
keep it: the output, or the table for gnuplot), what 2.x wrote with --json, and both compressed with
gzip. Lines above the output with the command and `uname -a` are read, too. What nobody tells stays
unknown: without the kernel there is no verdict.

  kubert-tui import output --command 'cyclictest -l100000000 -m -Sp90 -i200 -h400 -q' \\
      --uname "$(ssh rack uname -a)"
"""


def add_parser(commands: Any) -> None:
    """Add the command to the parser's sub-commands."""
    parser = commands.add_parser(
        "import",
        help="keep what others measured with cyclictest",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--interval", type=int, default=0, metavar="US", help="between wake-ups")
    parser.add_argument("--command", default="", metavar="COMMAND", help="cyclictest's, as it ran")
    parser.add_argument("--uname", default="", metavar="LINE", help="what `uname -a` says there")
    parser.add_argument("--host", default="", metavar="NAME", help="where it was measured")
    parser.add_argument("--output", "-o", metavar="FILE", help="where to keep it; ours if absent")
    parser.set_defaults(handler=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    if arguments.output and len(arguments.files) > 1:
        raise UsageError("--output keeps one result", fix="import one file, or leave it out")
    told = Told(
        interval=arguments.interval,
        host=clean_line(arguments.host, limit=100),
        command=arguments.command,
        uname=arguments.uname,
    )
    # All are read before any is kept.
    found = [(Path(name), read_foreign(Path(name), told)) for name in arguments.files]
    for source, stored in found:
        path = Path(arguments.output) if arguments.output else _place(source)
        try:
            save(path, stored)
        except OSError as error:
            raise UsageError(
                f"{clean_line(str(path))} cannot be written: {error.strerror}"
            ) from None
        name = str(path) if arguments.output else path.stem
        print(f"{clean_line(name, limit=4096)}: {judge(evidence_of(stored), None).statement}")
        for note in stored.notes[1:]:
            print(f"  {note}")
    return int(ExitCode.OK)


def _place(source: Path) -> Path:
    """Return a new file of ours, named like the imported one."""
    plain = Path(source.name.removesuffix(".gz")).stem
    stem = re.sub(r"[^A-Za-z0-9._-]", "-", plain).strip(".-")[:80] or "result"
    path, number = imported() / f"{stem}.json", 2
    while path.exists():
        path, number = imported() / f"{stem}-{number}.json", number + 1
    return path
