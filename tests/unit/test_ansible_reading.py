"""From events to messages to results: decoding, cleaning, redacting, judging."""

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubert_tui.ansible.protocol import (
    EndMessage,
    ErrorMessage,
    LinesMessage,
    Message,
    Order,
    StatsMessage,
    TaskMessage,
    decode_message,
    decode_order,
    encode_message,
)
from kubert_tui.ansible.reading import Reading, Report
from kubert_tui.ansible.request import TaskResult
from kubert_tui.ansible.results import stats_message, task_message
from kubert_tui.base.errors import AuthenticationError, ChangeError, ToolMissingError
from kubert_tui.base.secrets import MASK, Secret, redactor

END = EndMessage(kind="end", status="successful", exit_status=0)
STATS = StatsMessage(kind="stats", processed=["a"], changed={"a": 2}, failures={}, unreachable={})


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    """Secrets of one test must not mask the words of the next."""
    values = redactor._values
    yield
    redactor._values = values


class Ears:
    """Collects what a reading tells."""

    def __init__(self, log: Path | None = None) -> None:
        self.tasks: list[TaskResult] = []
        self.lines: list[str] = []
        report = Report(log, self.tasks.append, self.lines.extend)
        self.reading = Reading(("a",), ("ansible-playbook", "x.yml"), report)

    def hear(self, *messages: Message) -> Reading:
        for message in messages:
            self.reading.take(encode_message(message))
        return self.reading


def task(**changes: str) -> TaskMessage:
    values = {"host": "a", "task": "t", "outcome": "ok", "message": "", "diff": ""} | changes
    return cast("TaskMessage", {"kind": "task", **values})


def test_a_good_run() -> None:
    outcome = Ears().hear(task(), STATS, END).outcome(0)
    assert (outcome.status, outcome.exit_status) == ("successful", 0)
    assert outcome.changed == {"a": 2}
    assert outcome.failures == {}


def test_a_status_alone_is_not_believed() -> None:
    with pytest.raises(ChangeError, match="without a recap"):
        Ears().hear(task(), END).outcome(0)


def test_a_recap_with_failures_outweighs_a_good_status() -> None:
    bad = STATS | {"failures": {"a": 1}, "unreachable": {"a": 1}}
    outcome = Ears().hear(bad, END).outcome(0)
    assert outcome.status == "failed"
    assert outcome.failures == {"a": 2}


def test_a_host_missing_in_the_recap_is_an_error() -> None:
    with pytest.raises(ChangeError, match="nothing on this host"):
        Ears().hear(STATS | {"processed": []}, END).outcome(0)


def test_a_child_that_vanished_is_an_error_with_the_last_lines() -> None:
    ears = Ears()
    ears.hear(LinesMessage(kind="lines", lines=["one", "two"]), STATS)
    with pytest.raises(ChangeError) as caught:
        ears.reading.outcome(-9)
    assert "signal 9" in caught.value.what
    assert caught.value.details == "one\ntwo"
    assert caught.value.host == "a"
    assert caught.value.command[0] == "ansible-playbook"


def test_a_cancelled_child_may_leave_without_a_word() -> None:
    assert Ears().reading.outcome(-15, cancelled=True).status == "canceled"


@pytest.mark.parametrize(
    ("reason", "error"),
    [
        ("tool-missing", ToolMissingError),
        ("authentication", AuthenticationError),
        ("internal", ChangeError),
    ],
)
def test_errors_of_the_child_keep_their_class(reason: str, error: type[Exception]) -> None:
    message = {"kind": "error", "reason": reason, "what": "so", "fix": "thus"}
    with pytest.raises(error, match="so"):
        Ears().hear(cast("ErrorMessage", message)).outcome(1)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        b'{"kind": "no such"}',
        b'{"kind": []}',
        b'{"kind": "end", "status": "successful", "exit_status": true}',
        b'{"kind": "end", "status": "successful"}',
        b'{"kind": "lines", "lines": [1]}',
        b'{"kind": "stats", "processed": [], "changed": {"a": ""}, "failures": {}, "dark": {}}',
        b'{"kind": "stats", "processed": [], "changed": {"a": ""}, "failures": {},%s}'
        % b'"unreachable": {}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_what_is_no_message_spoils_the_run(line: bytes) -> None:
    ears = Ears()
    ears.reading.take(line)
    with pytest.raises(ChangeError, match="unreadable"):
        ears.hear(STATS, END).outcome(0)


def test_a_host_that_was_not_asked_for_spoils_the_run() -> None:
    ears = Ears()
    with pytest.raises(ChangeError, match="not given"):
        ears.hear(task(host="b"), STATS, END).outcome(0)
    assert not ears.tasks


def test_everything_is_cleaned_and_redacted(tmp_path: Path) -> None:
    secret = Secret('ca"na\\ry-pass')
    log = tmp_path / "new" / "log"
    ears = Ears(log)
    raw = f"\x1b[2J{secret.reveal()}\u202e"
    ears.hear(
        LinesMessage(kind="lines", lines=[raw, '{"x": "ca\\"na\\\\ry-pass"}', "one\rtwo"]),
        task(task=raw, message=raw, diff=raw),
    )
    result = ears.tasks[0]
    told = [*ears.lines, result.task, result.message, result.diff, log.read_text()]
    assert all("ry-pass" not in text and "\x1b" not in text for text in told)
    assert all("\u202e" not in text for text in told)
    assert MASK in result.message
    assert ears.lines[-2:] == ["one", "two"]
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_a_secret_cut_in_two_by_an_escape_is_masked() -> None:
    Secret("canary-pass")
    ears = Ears()
    ears.hear(LinesMessage(kind="lines", lines=["canary\x1b[0m-pass"]))
    assert ears.lines == [MASK]


@given(st.text(), st.text())
def test_messages_survive_their_way(text: str, other: str) -> None:
    message = task(message=text, diff=other)
    line = encode_message(message)
    assert line.count(b"\n") == 1
    assert decode_message(line) == message


def test_an_order_survives_its_way_and_hides_its_secrets() -> None:
    order = Order("/d", "/p", "inv", "/k", ("a",), True, "canary1", "canary2", {"/f": "canary3"})
    assert decode_order(order.encode()) == order
    assert "canary" not in repr(order)


@pytest.mark.parametrize("line", [b"", b"canary", b'{"canary": 1}', b'{"hosts": 3}'])
def test_a_bad_order_is_refused_without_quoting_it(line: bytes) -> None:
    with pytest.raises(ValueError, match="not an order") as caught:
        decode_order(line)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def event(kind: str, res: object = None, **data: object) -> dict[str, object]:
    return {"event": kind, "event_data": {"host": "a", "task": "t", "res": res, **data}}


@pytest.mark.parametrize(
    ("given_event", "outcome"),
    [
        (event("runner_on_ok", {"changed": False}), "ok"),
        (event("runner_on_ok", {"changed": True}), "changed"),
        (event("runner_on_ok", {"changed": "true"}), "ok"),
        (event("runner_on_failed", {}), "failed"),
        (event("runner_on_failed", {}, ignore_errors=True), "ignored"),
        (event("runner_on_skipped", None), "skipped"),
        (event("runner_on_unreachable", {"msg": "no route"}), "unreachable"),
    ],
)
def test_outcomes(given_event: dict[str, object], outcome: str) -> None:
    message = task_message(given_event)
    assert message is not None
    assert message["outcome"] == outcome


@pytest.mark.parametrize(
    "nothing",
    [{}, {"event": "verbose"}, {"event": "runner_on_ok"}, {"event": 7, "event_data": []}],
)
def test_other_events_are_no_results(nothing: dict[str, object]) -> None:
    assert task_message(nothing) is None
    assert stats_message(nothing) is None


def message_of(res: object, kind: str = "runner_on_failed") -> str:
    message = task_message(event(kind, res))
    assert message is not None
    return message["message"]


def test_messages_say_what_failed() -> None:
    assert message_of({"msg": "non-zero return code", "stderr": "why", "stdout": "what"}) == (
        "non-zero return code\nwhy\nwhat"
    )
    assert message_of({"msg": "it: why", "stderr": "why"}) == "it: why"
    items = [{"failed": True, "item": "x", "msg": "bad"}, {"item": "y", "msg": "good"}]
    assert message_of({"msg": "some failed", "results": items}) == "some failed\nx: bad"
    assert message_of({"msg": {"a": 1}}) == '{"a": 1}'
    assert message_of({"censored": "the output has been hidden"}) == "(hidden: no_log)"
    assert message_of({"stdout": "said"}, "runner_on_ok") == "said"
    assert len(message_of({"msg": "x" * 10_000})) < 5000


def diff_of(res: object) -> str:
    message = task_message(event("runner_on_ok", res))
    assert message is not None
    return message["diff"]


def test_diffs_in_every_shape() -> None:
    text = {"before": "a\nb\n", "after": "a\nc", "after_header": "/f"}
    assert diff_of({"diff": text}).splitlines()[:2] == ["--- before", "+++ /f"]
    assert "-b\n+c\n" in diff_of({"diff": [text]})
    assert diff_of({"diff": {"prepared": "as it is"}}) == "as it is\n"
    states = {"before": {"state": "absent"}, "after": {"state": "file"}}
    assert '-    "state": "absent"' in diff_of({"diff": states})
    assert "+c" in diff_of({"results": [{"diff": text}, {"diff": None}, 7]})
    assert diff_of({"diff": {"before": "same", "after": "same"}}) == ""
    assert diff_of({"diff": "odd"}) == diff_of({}) == ""


def test_the_recap_is_read_and_odd_counts_are_left_out() -> None:
    data = {"processed": {"a": 1}, "changed": {"a": 2}, "failures": {"a": "x"}, "dark": []}
    assert stats_message({"event": "playbook_on_stats", "event_data": data}) == {
        "kind": "stats",
        "processed": ["a"],
        "changed": {"a": 2},
        "failures": {},
        "unreachable": {},
    }
