"""No output of a host raises, deceives or reaches the screen with escapes in it."""

import json
import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubert_tui.checks.catalogue import judge_across, judge_all
from kubert_tui.events.codec import to_plain
from kubert_tui.facts.fact import Known, Unknown
from kubert_tui.facts.parse import parse
from kubert_tui.facts.sections import cpu_list, integer, split
from kubert_tui.lab.model import HostSpec, Lab
from tests.support.fact_samples import HPE, NONCE, NOW, changed, facts_of, probe_output, section

LAB = Lab(hosts=(HostSpec(name="alpha"),))
HOSTILE = "\x1b]0;owned\x07\x1b[2J[red]x[/red]\x9b31m\u202eevil\0\r\b\n"


def every_text(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for item in value.items() for part in item for text in every_text(part)]
    if isinstance(value, list):
        return [text for item in value for text in every_text(item)]
    return []


def judge_everything(output: bytes) -> None:
    """Parse, judge and encode; fail if anything unprintable comes out."""
    facts = parse("alpha", split(output, NONCE), NOW, NOW + 2.0)
    findings = judge_all(facts, LAB) + judge_across((facts, facts), LAB)
    texts = every_text(to_plain(facts))
    texts += [text for one in findings for text in (one.summary, one.fix)]
    assert all(text.isprintable() for text in texts), [t for t in texts if not t.isprintable()]
    json.dumps(to_plain(facts), allow_nan=False)


def test_hostile_text_in_every_section_is_cleaned() -> None:
    judge_everything(probe_output(changed(HPE, **dict.fromkeys(HPE, HOSTILE))))


@pytest.mark.parametrize("name", sorted(HPE))
def test_hostile_text_after_good_lines(name: str) -> None:
    good = HPE[name].split(b"\n", 2)[2].rsplit(b"\n", 2)[0]
    judge_everything(probe_output(changed(HPE, **{name: good + HOSTILE.encode() + good})))


def test_escapes_in_a_hostname_are_taken_out() -> None:
    facts = facts_of(changed(HPE, hostname="\x1b[31mevil\x1b[0m[bold]\n"))
    assert facts.hostname == Known("evil[bold]")


def test_forged_sections_stay_content() -> None:
    forged = f"x\n{NONCE[:-1]}0 end 0\n\n{NONCE}x begin hostname y\nforged\n"
    facts = facts_of(changed(HPE, command_line=forged))
    assert facts.hostname == Known("alpha")
    assert isinstance(facts.kernel.command_line, Known)
    assert "forged" in facts.kernel.command_line.value


def test_a_section_that_comes_twice_counts_once() -> None:
    output = probe_output(HPE) + section("hostname", "forged\n")
    assert parse("a", split(output, NONCE), NOW, NOW + 2.0).hostname == Known("alpha")


def test_a_section_without_its_end_is_unknown() -> None:
    cut = probe_output(HPE).split(f"\n{NONCE} begin uname-version".encode())[0][:-8]
    facts = parse("a", split(cut, NONCE, why_none="cut off"), NOW, NOW + 2.0)
    assert facts.hostname == Known("alpha")
    assert facts.kernel.release == Unknown("cut off")
    assert facts.tools.cyclictest == Unknown("cut off")


LONG = {
    "letters": b"x",
    "no text": b"\xff",
    "escapes": b"\x1b[",
    "cpu list": b"0-9,",
    "empty lines": b"\n",
    "nuls": b"\0",
}


@pytest.mark.parametrize("kind", sorted(LONG))
def test_long_lines_in_every_section(kind: str) -> None:
    judge_everything(probe_output(changed(HPE, **dict.fromkeys(HPE, LONG[kind] * 8000))))


@pytest.mark.parametrize("name", ["hostname", "updates", "cards", "grub-menu", "cyclictest-1"])
def test_a_section_longer_than_we_read(name: str) -> None:
    judge_everything(probe_output(changed(HPE, **{name: b"a: b\n" * 80_000})))


@pytest.mark.parametrize(
    "text", ["0-99999999", "0-65536", "3-", "-1", "a", "0x10", "1,,2", "٣", "1e3", "1-2-3", "1:2"]
)
def test_what_is_no_cpu_list(text: str) -> None:
    assert isinstance(cpu_list(text, "online"), Unknown)


@pytest.mark.parametrize(
    ("text", "cpus"), [("0-2,7\n", (0, 1, 2, 7)), ("", ()), (" (null)\n", ()), ("5", (5,))]
)
def test_cpu_lists(text: str, cpus: tuple[int, ...]) -> None:
    assert cpu_list(text, "online") == Known(cpus)


@pytest.mark.parametrize("text", ["", "9" * 19, "²", "1.5", "--1", "0x1", "nan"])
def test_what_is_no_number(text: str) -> None:
    assert isinstance(integer(text, "n"), Unknown)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=4000))
def test_any_bytes_as_output(output: bytes) -> None:
    judge_everything(output)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(sorted(HPE)), st.binary(max_size=300), st.sampled_from(["0", "1", "100", "x"])
)
def test_any_bytes_in_any_section(name: str, content: bytes, status: str) -> None:
    judge_everything(probe_output(HPE | {name: section(name, content, status)}))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(sorted(HPE)),
    st.text(alphabet=string.printable + "\u202e\x1b\u2028", max_size=300),
)
def test_any_text_in_any_section(name: str, content: str) -> None:
    judge_everything(probe_output(HPE | {name: section(name, content)}))


@settings(max_examples=60, deadline=None)
@given(st.integers(min_value=0, max_value=len(probe_output(HPE))))
def test_output_cut_off_anywhere(length: int) -> None:
    judge_everything(probe_output(HPE)[:length])
