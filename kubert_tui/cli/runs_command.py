"""`kubert-tui runs`: what was done on this computer, read back from the journals."""

import argparse
import json
import time
from typing import Any

from rich.console import Console
from rich.text import Text

from kubert_tui.base.errors import ExitCode, UsageError
from kubert_tui.base.paths import imported
from kubert_tui.base.text import clean
from kubert_tui.cli.text import plain_console
from kubert_tui.cli.words import state_text
from kubert_tui.engine.journal import FILE_NAME, read
from kubert_tui.engine.past import Past, all_runs, moment, run_directory
from kubert_tui.latency.describe import schema


def add_parser(commands: Any) -> None:
    """Add the command to the parser's sub-commands."""
    parser = commands.add_parser("runs", help="list runs, or read one back")
    parser.add_argument(
        "run",
        nargs="?",
        metavar="RUN",
        help="id of a run; none lists them; `schema` prints the JSON Schema of stored measurements",
    )
    parser.add_argument("--json", action="store_true", help="the journal itself, line by line")
    parser.set_defaults(handler=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    if arguments.run == "schema":
        print(json.dumps(schema(), indent=2))
        return int(ExitCode.OK)
    known = list(all_runs())
    if not arguments.run:
        _list(known, as_json=arguments.json)
        return int(ExitCode.OK)
    past = next((past for past in known if past.run == arguments.run), None)
    if past is None:
        raise UsageError(f"there is no run {arguments.run!r}", fix="`kubert-tui runs` lists them")
    if arguments.json:
        for entry in read(run_directory(past.run) / FILE_NAME):
            print(json.dumps(entry, separators=(",", ":")))
    else:
        _show(past)
    return int(ExitCode.OK)


def _list(known: list[Past], *, as_json: bool) -> None:
    console = plain_console(stderr=False)
    for past in known:
        if as_json:
            print(json.dumps({
                "run": past.run, "lab": past.lab, "started": past.started,
                "states": past.states, "results": past.results, "exit_code": past.exit_code,
            }))  # fmt: skip
            continue
        _print(console, f"{past.run:<42} {_when(past.started)}  {_ending(past)}")
    kept = sorted(imported().glob("*.json"))
    for path in kept:
        if as_json:
            print(json.dumps({"imported": path.stem, "path": str(path)}))
        else:
            _print(console, f"{path.stem:<42} {_when(path.stat().st_mtime)}  imported")
    if not known and not kept and not as_json:
        _print(console, "no runs yet", "dim")


def _show(past: Past) -> None:
    console = plain_console(stderr=False)
    _print(console, f"{past.run}  lab {past.lab}  {_when(past.started)}", "bold")
    for entry in read(run_directory(past.run) / FILE_NAME):
        try:
            line, time_of_day = _line(entry), time.localtime(moment(entry.get("time", 0)))
        except (TypeError, ValueError):
            continue  # not what we write
        if line is not None:
            _print(console, f"{time.strftime('%H:%M:%S', time_of_day)}  {line}")
    for stage, state in past.states.items():
        text, style = state_text(state)
        _print(console, f"{text:<16} {stage}", style)
    for path in past.results:
        _print(console, f"result: {path}")
    _print(console, _ending(past), "dim")


def _print(console: Console, text: str, style: str = "") -> None:
    # Journals are files: who can edit them must not get at the terminal of who reads them.
    console.print(Text(clean(text), style))


def _line(entry: dict[str, Any]) -> str | None:
    """Return the line that stands for one journal entry, or None for those left out."""
    where = " ".join(str(entry[key]) for key in ("stage", "host") if entry.get(key))
    match entry["event"]:
        case "stage-started":
            return f"{where}: begun"
        case "stage-finished":
            return f"{where}: {entry.get('summary') or entry.get('state')}"
        case "failure":
            return f"{where}: failed: {entry.get('what')} {entry.get('details', '')}".rstrip()
        case "answered":
            return f"{where}: {entry.get('kind')} answered {entry.get('choice')}"
        case "command-started":
            return f"{where}: $ {' '.join(map(str, entry.get('argv', ())))}"
        case "task-finished" if entry.get("outcome") != "ok":
            return f"{where}: {entry.get('outcome')}: {entry.get('task')}"
        case "latency-stored":
            return f"{where}: {_judged(entry)}"
    return None


def _judged(entry: dict[str, Any]) -> str:
    """Return the worst that was seen, and what it is worth, each reason on a line of its own."""
    seen = f"the worst of {entry.get('samples')} samples took {entry.get('maximum')} us"
    verdict = str(entry.get("verdict", ""))
    told = verdict if verdict.startswith("the worst of") else f"{seen}; {verdict}".rstrip("; ")
    # The statement of a refusal is its first reason.
    reasons = [str(one) for one in entry.get("reasons", ()) if str(one) not in verdict]
    interrupted = entry.get("interrupted")
    return "\n".join([
        told,
        *([f"            interrupted: {interrupted}"] if interrupted else []),
        *(f"            {reason}" for reason in reasons),
    ])  # fmt: skip


def _when(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def _ending(past: Past) -> str:
    if past.dry_run:
        return "dry run"
    match past.exit_code:
        case None:
            return "unfinished: start again to resume"
        case ExitCode.OK:
            return "finished"
        case code:
            return f"ended with {code}: start again to resume"
