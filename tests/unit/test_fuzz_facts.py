"""Probe outputs with mistakes all the way: facts, findings, plans, guides, rows on the screen."""

import json
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from kubert_tui.base.errors import MeasurementError
from kubert_tui.base.text import clean, clean_line, last_lines
from kubert_tui.checks.catalogue import judge_across, judge_all
from kubert_tui.events.codec import to_plain
from kubert_tui.facts.model import Facts
from kubert_tui.facts.parse import parse
from kubert_tui.facts.sections import split
from kubert_tui.lab.model import HostSpec, Lab, Permission
from kubert_tui.latency.command import order_for
from kubert_tui.latency.fingerprint import fingerprint
from kubert_tui.screens.facts_text import fact_groups
from kubert_tui.stages.registry import all_stages
from tests.support.fact_samples import DEBIAN, HPE, NONCE, NOW, probe_output, section
from tests.support.fuzzing import ESCAPES, cases, harmless, mutated, mutated_bytes

LAB = Lab(hosts=(HostSpec(name="alpha"),), allow=frozenset(Permission))
OUTPUTS = [probe_output(HPE), probe_output(DEBIAN)]
NAMES = sorted({*HPE, *DEBIAN})
CONTENTS = sorted(
    {
        whole.split(b"\n", 2)[2].rsplit(b"\n", 2)[0].decode()
        for sample in (HPE, DEBIAN)
        for whole in sample.values()
    }
)


def shown(facts: Facts) -> Iterator[str]:
    """Everything that is made of facts for people to see."""
    for finding in judge_all(facts, LAB) + judge_across((facts, facts), LAB):
        yield from (finding.summary, finding.fix)
    for stage in all_stages():
        if stage.host_guide:
            yield from stage.host_guide(facts).split("\n")
    for group in fact_groups(facts):
        yield from (line for row in group.rows for line in row.value.split("\n"))
    yield from texts(fingerprint(facts).model_dump(mode="json"))
    yield from texts(to_plain(facts))
    try:
        yield from order_for(LAB, facts, "x").command
    except MeasurementError as error:
        yield f"{error}"


def texts(value: object) -> list[str]:
    """Return every text in plain data."""
    if isinstance(value, dict):
        return [text for pair in value.items() for item in pair for text in texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in texts(item)]
    return [value] if isinstance(value, str) else []


def planned(facts: Facts) -> Iterator[str]:
    """What every stage would do there."""
    for stage in all_stages():
        for step in stage.change.plan(LAB, facts) if stage.change else ():
            yield from (step.title, *step.command.split("\n"))


def judged(output: bytes) -> Facts:
    facts = parse("alpha", split(output, NONCE), NOW, NOW + 2.0)
    assert [text for text in shown(facts) if not harmless(text)] == []
    json.dumps(to_plain(facts), allow_nan=False)
    return facts


@cases(60)
@given(mutated_bytes(OUTPUTS, edits=12))
def test_whole_outputs_with_mistakes(output: bytes) -> None:
    judged(output)


STATUSES = st.sampled_from(["0", "0", "0", "1", "100", "absent"])


@st.composite
def samples(draw: st.DrawFn) -> bytes:
    """Outputs of a known host but for some sections."""
    sample = dict(draw(st.sampled_from([HPE, DEBIAN])))
    for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4)):
        content = draw(mutated(CONTENTS, edits=3)).encode("utf-8", errors="replace")
        sample[name] = section(name, content, draw(STATUSES))
    return probe_output(sample)


@cases(150, 5000)
@given(samples())
def test_sections_with_mistakes(output: bytes) -> None:
    judged(output)


@cases(6, 500)
@given(samples())
def test_plans_for_such_hosts(output: bytes) -> None:
    assert [text for text in planned(judged(output)) if not harmless(text)] == []


@cases(150, 10_000)
@given(
    st.lists(
        st.one_of(st.sampled_from((*ESCAPES, "\x1b", "\x1b[", "\x9d", "\x1b]")), st.text()),
        max_size=8,
    ).map("".join),
    st.integers(2, 60),
)
def test_nothing_that_acts_on_a_terminal_is_left(text: str, limit: int) -> None:
    lines = clean(text, line_limit=limit).split("\n")
    assert all(harmless(line.replace("\t", "")) for line in lines)
    assert all(len(line) <= limit for line in lines)
    assert clean(clean(text)) == clean(text)
    assert clean_line(text, limit=limit).isprintable()
    assert len(last_lines(text, 2).split("\n")) <= 2
