"""A journal cut off at every single byte is read as far as it goes, and can be gone on with."""

import json
from pathlib import Path

from kubert_tui.base.paths import runs
from kubert_tui.engine.journal import FILE_NAME, Journal, read
from kubert_tui.engine.past import Past, read_past
from kubert_tui.engine.session import Session
from kubert_tui.events.model import Note
from kubert_tui.events.questions import Answer, Choice, Question
from kubert_tui.lab.model import HostSpec, Lab, Permission
from tests.support.stages import Measure, Restart, World, stage

_DECIDING = ("run-started", "restarting", "latency-stored", "stage-finished")


def _a_journal() -> bytes:
    """The journal of a run that restarted and measured; it has more than ASCII in it."""
    world = World()
    stages = (stage("restart", Restart(world)), stage("measure", Measure(), measures=True))
    lab = Lab(hosts=(HostSpec(name="bull1"),), allow=frozenset(Permission))
    session = Session(lab, stages=stages, gather=world.gather, connect=world.connect)
    session.skip("restart", "Käffchen ☕")
    for one in stages:
        session.submit(one.id)
    session.close()
    for event in session.events():
        if isinstance(event, Question):
            session.answer(event.number, Answer(Choice.APPLY))
    lines = (runs() / session.run / FILE_NAME).read_bytes().splitlines(keepends=True)
    # Facts are long lines like any other, and there are many: two are enough.
    facts = [line for line in lines if b'"facts-gathered"' in line]
    return b"".join(line for line in lines if line not in facts[2:])


def _places(data: bytes) -> list[int]:
    """Where to cut: one line of each kind, at each byte where it decides; all lines' ends."""
    places, start, kinds = [0], 0, set[str]()
    for line in data.splitlines(keepends=True):
        end = start + len(line)
        kind = json.loads(line)["event"]
        if kind not in kinds:
            kinds.add(kind)
            places += range(
                start + 1, end, 1 if kind in _DECIDING else 11 if len(line) < 600 else 97
            )
        places += (end - 1, end)
        start = end
    return sorted({*places})


def _past_of(directory: Path, data: bytes) -> Past:
    (directory / FILE_NAME).write_bytes(data)
    return read_past(directory.name)


def test_a_journal_cut_anywhere_is_read_as_far_as_it_is_whole() -> None:
    whole = _a_journal()
    directory = runs() / "cut"
    directory.mkdir()
    expected = Past("cut")
    for end in _places(whole):
        cut = whole[:end]
        lines = cut[: cut.rfind(b"\n") + 1]
        if cut == lines or end == len(whole):
            expected = _past_of(directory, lines)
        # Without its newline a last line may be whole already: then it counts.
        found = _past_of(directory, cut)
        longer = _past_of(directory, cut + b"\n")
        assert found in (expected, longer), f"cut at byte {end}"


def test_whoever_goes_on_with_a_cut_journal_loses_nothing_more() -> None:
    whole = _a_journal()
    start = whole.rstrip(b"\n").rfind(b"\n", 0, len(whole) - 2) + 1
    for end in range(start, len(whole) + 1):
        directory = runs() / f"cut-{end}"
        directory.mkdir()
        (directory / FILE_NAME).write_bytes(whole[:end])
        before = list(read(directory / FILE_NAME))
        journal = Journal(directory)
        journal.append(Note(text="gone on with"))
        journal.close()
        after = list(read(directory / FILE_NAME))
        assert after[: len(before)] == before
        assert after[-1]["text"] == "gone on with"
