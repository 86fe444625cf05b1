"""`kubert-tui`: the command line, its options and its exit codes (docs/exit-codes.md)."""

import argparse
import sys
from collections.abc import Sequence

from kubert_tui import __version__
from kubert_tui.base.disk import own_disk_error
from kubert_tui.base.errors import ExitCode, KubertError, UsageError
from kubert_tui.base.secrets import redactor
from kubert_tui.cli import (
    auto,
    check_command,
    cluster_command,
    compare_command,
    density_command,
    import_command,
    lab_command,
    ladder_command,
    machines_command,
    monitor_command,
    practice_command,
    report_command,
    runs_command,
    stray,
    wizard_command,
)

_EPILOG = """\
Without arguments, on a terminal, the wizard opens. Exit codes: 0 done, 1 failed, 2 usage,
3 lab file, 4 host not reached, 5 log-in refused, 6 host key, 7 a tool is missing,
8 waits for a person, 9 busy, 10 a change failed, 11 a measurement failed, 70 a bug,
130 interrupted.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = _parser()
    stray.keep_out_of_sight()
    stray.no_core_dumps()
    try:
        arguments = parser.parse_args(argv)
        return _dispatch(parser, arguments)
    except KubertError as error:
        _complain(error)
        return int(error.exit_code)
    except KeyboardInterrupt:
        return int(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # Who reads our output has gone; there is nobody left to tell.
        sys.stderr.close()
        return int(ExitCode.FAILED)
    except Exception as error:
        trouble = own_disk_error(error) if isinstance(error, OSError) else None
        if trouble is None:
            return stray.tell_of_bug(error)
        _complain(trouble)
        return int(trouble.exit_code)


def _dispatch(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> int:
    if handler := getattr(arguments, "handler", None):
        return int(handler(arguments))
    if arguments.auto:
        return auto.run(arguments)
    headless = [flag for flag in auto.FLAGS if getattr(arguments, flag)]
    if headless:
        flag = "--" + headless[0].replace("_", "-")
        raise UsageError(f"{flag} goes with --auto", fix=f"kubert-tui --auto {flag} ...")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        parser.print_usage(sys.stderr)
        raise UsageError(
            "the wizard needs a terminal", fix="`kubert-tui --auto` does the same without one"
        )
    practice_command.bring_up(arguments.lab)
    return wizard_command.run(arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kubert-tui",
        description="From two servers to real-time Kubernetes on KVM, with the proof.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"kubert-tui {__version__}")
    parser.add_argument(
        "--lab", metavar="LAB", help="lab file, a lab's name, or `local` (this machine; default)"
    )
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="override a value of the lab, such as cyclictest.duration=5s",
    )
    auto.add_options(parser)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    check_command.add_parser(commands)
    lab_command.add_parser(commands)
    runs_command.add_parser(commands)
    machines_command.add_parser(commands)
    monitor_command.add_parser(commands)
    ladder_command.add_parser(commands)
    density_command.add_parser(commands)
    practice_command.add_parser(commands)
    cluster_command.add_parser(commands)
    report_command.add_parser(commands)
    compare_command.add_parser(commands)
    import_command.add_parser(commands)
    return parser


def _complain(error: KubertError) -> None:
    for line in redactor.redact(str(error)).splitlines():
        print(f"kubert-tui: {line}", file=sys.stderr)
    if error.details:
        print(redactor.redact(error.details), file=sys.stderr)
