"""Journals that were torn, edited or written by somebody else: read as far as they make sense."""

import contextlib
import io
import json
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from kubert_tui.base import paths
from kubert_tui.base.errors import KubertError
from kubert_tui.cli.main import main
from kubert_tui.engine.journal import FILE_NAME, Journal, read
from kubert_tui.engine.past import all_runs, open_run, read_past
from kubert_tui.events.codec import encode
from kubert_tui.events.measuring import LatencyStarted, LatencyStored, MeasurementEnded
from kubert_tui.events.model import (
    CommandStarted,
    Event,
    FactsGathered,
    Failure,
    Finished,
    Note,
    Restarting,
    RunStarted,
    StageFinished,
    StageStarted,
    StageState,
)
from tests.support.fact_samples import HPE, facts_of
from tests.support.fuzzing import ESCAPES, cases, harmless, mutated_bytes

RUN = "20261123-221130-twins-3f9a"
EVENTS: tuple[Event, ...] = (
    RunStarted(time=1.5, run=RUN, lab="twins", hosts=("a",), stages=("connect",), version="0.1"),
    StageStarted(time=1.6, stage="connect", title="Connect"),
    FactsGathered(time=1.7, stage="connect", host="a", facts=facts_of(HPE), seconds=0.5),
    CommandStarted(time=1.8, stage="kernel", host="a", argv=("true", "x y")),
    Restarting(time=1.9, stage="kernel", host="a", boot_id="b"),
    Failure(time=2.0, stage="kernel", host="a", what="no", fix="yes", details="one\ntwo"),
    LatencyStarted(
        time=2.1, stage="m", host="a", command=("cyclictest",), version="2.4", interval=200,
        loops=5, cpus=(0, 1), started=1.0,
    ),
    MeasurementEnded(time=2.2, stage="m", host="a", identity="x-1", reason="cancelled"),
    LatencyStored(time=2.3, stage="m", host="a", path="/r.json", samples=5, maximum=3, exact=True),
    StageFinished(
        time=2.4, stage="connect", state=StageState.DONE, hosts={"a": StageState.DONE}, summary="s"
    ),
    Finished(time=2.5, states={"connect": StageState.DONE}, results=(), journal="j", exit_code=0),
)  # fmt: skip
LINES = [json.dumps(encode(event), ensure_ascii=False).encode() + b"\n" for event in EVENTS]
WHOLE = b"".join(LINES)
SHORT = b"".join(line for line in LINES if len(line) < 2000)


def file_of(content: bytes) -> Path:
    path = paths.private_directory(paths.runs() / RUN) / FILE_NAME
    path.write_bytes(content)
    return path


def read_by_everybody(content: bytes) -> None:
    """Read a journal the ways there are; it may say little, but never stop us or the terminal."""
    file_of(content)
    read_past(RUN)
    assert [past.run for past in all_runs()] == [RUN]
    open_run("twins", "")
    for arguments in (["runs"], ["runs", RUN], ["runs", "--json"], ["runs", RUN, "--json"]):
        out, errors = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
            assert main(arguments) == 0, errors.getvalue()
        for line in out.getvalue().split("\n"):
            assert harmless(line), (arguments, line)


JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.sampled_from([10**400, -1, "done", "a", *ESCAPES]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


@cases(100, 3000)
@given(mutated_bytes([SHORT, WHOLE]))
@example(b"[" * 100_000 + b"\n" + SHORT)
@example(b'{"event": "finished", "exit_code": 1e999}\n')
@example(b'{"event": "run-started", "lab": "twins", "time": 1e999}\n')
@example(b'{"event": "stage-started", "time": "soon", "stage": "\\u001b[2J"}\n')
@example(b'{"event": "' + b"9" * 5000 + b'", "time": ' + b"9" * 5000 + b"}\n")
def test_torn_and_edited_journals(content: bytes) -> None:
    read_by_everybody(content)


@cases(80, 3000)
@given(st.sampled_from(EVENTS), st.dictionaries(st.text(max_size=4), JSON, max_size=2), st.data())
def test_events_with_other_values(
    event: Event, extra: dict[str, object], data: st.DataObject
) -> None:
    plain: dict[str, object] = dict(encode(event))
    for name in data.draw(st.lists(st.sampled_from(sorted(plain)), max_size=3)):
        plain[name] = data.draw(JSON)
    line = json.dumps({**plain, **extra, "event": plain["event"]}).encode() + b"\n"
    read_by_everybody(LINES[0] + line + LINES[-2])


@cases(60)
@given(st.integers(0, len(SHORT)))
def test_torn_anywhere_every_whole_line_before_and_after_counts(length: int) -> None:
    path = file_of(SHORT[:length])
    whole = SHORT[:length].count(b"\n")
    journal = Journal(path.parent)
    journal.append(Note(text="goes on"))
    journal.close()
    told = list(read(path))
    assert told[-1]["text"] == "goes on"
    last_was_whole = SHORT[length : length + 1] == b"\n"
    assert len(told) == whole + 1 + last_was_whole


def test_a_journal_that_is_a_directory_is_told() -> None:
    (paths.runs() / RUN / FILE_NAME).mkdir(parents=True)
    with contextlib.suppress(KubertError):
        list(read(paths.runs() / RUN / FILE_NAME))
