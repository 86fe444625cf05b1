"""From ansible-runner's events to our messages: what a task did on a host, in plain words."""

import difflib
import json
from collections.abc import Mapping

from kubert_tui.ansible.protocol import StatsMessage, TaskMessage

MESSAGE_LIMIT = 4000
"""Characters of a task's message."""
DIFF_LIMIT = 20_000
"""Characters of a task's diff."""
COMPARE_LIMIT = 10_000
"""Lines that are compared: a host could make difflib's time, which grows with the square, last."""

_OUTCOMES = {
    "runner_on_ok": "ok",
    "runner_on_failed": "failed",
    "runner_on_skipped": "skipped",
    "runner_on_unreachable": "unreachable",
}


def task_message(event: Mapping[str, object]) -> TaskMessage | None:
    """Return the result of one task on one host; None for every other event."""
    kind = _OUTCOMES.get(str(event.get("event")))
    data = _mapping(event.get("event_data"))
    if kind is None or not data.get("host"):
        return None
    result = _mapping(data.get("res"))
    return TaskMessage(
        kind="task",
        host=str(data["host"]),
        task=str(data.get("task") or data.get("task_action") or ""),
        outcome=_outcome(kind, data, result),
        message=_message(result, failed=kind in ("failed", "unreachable")),
        diff=_diffs(result),
    )


def stats_message(event: Mapping[str, object]) -> StatsMessage | None:
    """Return the recap; None for every other event."""
    if event.get("event") != "playbook_on_stats":
        return None
    data = _mapping(event.get("event_data"))
    return StatsMessage(
        kind="stats",
        processed=[str(host) for host in _mapping(data.get("processed"))],
        changed=_counts(data.get("changed")),
        failures=_counts(data.get("failures")),
        unreachable=_counts(data.get("dark")),
    )


def _outcome(kind: str, data: Mapping[str, object], result: Mapping[str, object]) -> str:
    if kind == "ok":
        return "changed" if result.get("changed") is True else "ok"
    if kind == "failed" and data.get("ignore_errors"):
        return "ignored"
    return kind


def _message(result: Mapping[str, object], *, failed: bool) -> str:
    if "censored" in result:
        return "(hidden: no_log)"
    parts = [_text(result.get("msg"))]
    if failed:
        parts += [_text(result.get(key)) for key in ("stderr", "stdout", "module_stderr")]
        # Gathering facts runs modules of its own: what they died of is a level deeper.
        for module in _mapping(result.get("failed_modules")).values():
            parts += [_text(_mapping(module).get(key)) for key in ("module_stderr", "msg")]
        items = result.get("results")
        for item in items if isinstance(items, list) else ():
            if isinstance(item, dict) and item.get("failed"):
                parts.append(f"{_text(item.get('item'))}: {_text(item.get('msg'))}")
    elif not parts[0]:
        parts = [_text(result.get("skip_reason")), _text(result.get("stdout"))]
    seen: list[str] = []
    for part in parts:
        if part and not any(part in earlier for earlier in seen):
            seen.append(part)
    text = "\n".join(seen)
    return text if len(text) <= MESSAGE_LIMIT else f"{text[:MESSAGE_LIMIT]}…"


def _diffs(result: Mapping[str, object]) -> str:
    pieces = [_diff(piece) for piece in _pieces(result.get("diff"))]
    items = result.get("results")
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict):
            pieces += [_diff(piece) for piece in _pieces(item.get("diff"))]
    text = "".join(pieces)
    return text if len(text) <= DIFF_LIMIT else f"{text[:DIFF_LIMIT]}…"


def _pieces(diff: object) -> list[Mapping[str, object]]:
    pieces = diff if isinstance(diff, list) else [diff]
    return [piece for piece in pieces if isinstance(piece, dict)]


def _diff(piece: Mapping[str, object]) -> str:
    prepared = piece.get("prepared")
    if isinstance(prepared, str):
        return prepared if prepared.endswith("\n") or not prepared else f"{prepared}\n"
    if "before" not in piece and "after" not in piece:
        return ""
    before, after = (_lines(piece.get(side)) for side in ("before", "after"))
    old, new = (str(piece.get(f"{side}_header", side)) for side in ("before", "after"))
    if len(before) + len(after) > COMPARE_LIMIT:
        return f"--- {old}\n+++ {new}\n{len(before)} and {len(after)} lines: too many to compare\n"
    return "".join(difflib.unified_diff(before, after, old, new))


def _lines(side: object) -> list[str]:
    text = side if isinstance(side, str) else json.dumps(side, indent=4, sort_keys=True)
    lines = ("" if side is None else text).splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    return lines


def _text(value: object) -> str:
    if value is None or value == "":
        return ""
    return value.strip() if isinstance(value, str) else json.dumps(value)


def _counts(value: object) -> dict[str, int]:
    return {str(host): number for host, number in _mapping(value).items() if type(number) is int}


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}
