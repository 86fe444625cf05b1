"""Whatever Ansible, its helper or a host behind it says: read, cleaned, redacted, or refused."""

import contextlib
import json
from collections.abc import Mapping

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kubert_tui.ansible.protocol import (
    EndMessage,
    LinesMessage,
    Message,
    StatsMessage,
    TaskMessage,
    decode_message,
    decode_order,
    encode_message,
)
from kubert_tui.ansible.reading import Reading, Report
from kubert_tui.ansible.request import TaskResult
from kubert_tui.ansible.results import DIFF_LIMIT, MESSAGE_LIMIT, stats_message, task_message
from kubert_tui.base.errors import KubertError
from kubert_tui.base.secrets import Secret
from tests.support.fuzzing import ESCAPES, cases, check_told, harmless, mutated, mutated_bytes

CANARY = "pa\"ss'w\\ö{{ 7 }}$(rd)"
MESSAGES: tuple[Message, ...] = (
    LinesMessage(kind="lines", lines=["PLAY [all] ****", f"fatal: {CANARY}"]),
    TaskMessage(
        kind="task", host="a", task="t", outcome="changed", message=CANARY, diff="-a\n+b\n"
    ),
    StatsMessage(kind="stats", processed=["a"], changed={"a": 1}, failures={}, unreachable={}),
    EndMessage(kind="end", status="successful", exit_status=0),
)
LINES = [encode_message(message) for message in MESSAGES]


def heard(data: bytes) -> None:
    """Read lines as the parent does; check all that comes out."""
    told: list[str] = []

    def on_task(result: TaskResult) -> None:
        told.extend((result.host, result.task, result.message, result.diff))

    reading = Reading(("a",), ("ansible-playbook",), Report(None, on_task, told.extend))
    for line in data.splitlines(keepends=True):
        reading.take(line)
    reading.lines([data.decode(errors="replace")])
    try:
        told.append(reading.outcome(1).last_lines)
    except KubertError as error:
        check_told(error, limit=50_000)
        told.append(f"{error} {error.details}")
    assert [text for text in told if not harmless(text.translate({9: " ", 10: " "}))] == []
    assert [text for text in told if CANARY in text] == []


@cases(150, 3000)
@given(st.lists(mutated_bytes(LINES, edits=3), max_size=5).map(b"".join))
@example(b"[" * 100_000 + b"\n")
@example(b'{"kind": "end", "status": "successful", "exit_status": 1e999}\n')
def test_messages_with_mistakes(data: bytes) -> None:
    Secret(CANARY)
    heard(data)
    for line in data.splitlines():
        with contextlib.suppress(ValueError):
            decode_message(line)
        with contextlib.suppress(ValueError):
            decode_order(line)


VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=10),
        st.sampled_from([*ESCAPES, CANARY, "a\nb\n" * 50]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.one_of(st.text(max_size=5), st.sampled_from(["before", "after", "failed", "item"])),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=10,
)
RESULTS = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("msg", "stdout", "stderr", "results", "diff", "changed", "censored", "skip_reason"), VALUES
    ),
)
EVENTS = st.fixed_dictionaries(
    {
        "event": st.sampled_from(
            ["runner_on_ok", "runner_on_failed", "runner_on_unreachable", "playbook_on_stats", "x"]
        ),
        "event_data": st.one_of(
            VALUES,
            st.fixed_dictionaries(
                {"host": st.one_of(st.just("a"), VALUES), "res": st.one_of(RESULTS, VALUES)},
                optional=dict.fromkeys(
                    ("task", "processed", "changed", "dark", "ignore_errors"), VALUES
                ),
            ),
        ),
    }
)


@cases(150, 3000)
@given(EVENTS)
def test_events_of_any_content(event: Mapping[str, object]) -> None:
    for message in (task_message(event), stats_message(event)):
        if message is None:
            continue
        assert decode_message(encode_message(message)) == message
        if message["kind"] == "task":
            assert len(message["message"]) <= MESSAGE_LIMIT + 1
            assert len(message["diff"]) <= DIFF_LIMIT + 1
        heard(encode_message(message))


@cases(60)
@given(mutated([json.dumps({"event": "runner_on_ok", "event_data": {"host": "a", "res": {}}})]))
def test_an_event_file_that_was_torn(text: str) -> None:
    with contextlib.suppress(ValueError, RecursionError):
        event = json.loads(text)
        if isinstance(event, dict):
            task_message(event)
            stats_message(event)


@pytest.mark.timeout(30)
def test_a_diff_that_would_take_for_ever_is_not_made() -> None:
    before = "".join(f"{number % 1000}\n" for number in range(200_000))
    after = "".join(f"{number * 7 % 1000}\n" for number in range(200_000))
    result = {"changed": True, "diff": {"before": before, "after": after}}
    event = {"event": "runner_on_ok", "event_data": {"host": "a", "task": "t", "res": result}}
    message = task_message(event)
    assert message is not None
    assert "200000 and 200000 lines" in message["diff"]
