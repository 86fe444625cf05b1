"""What the host tells about a run, and what we would never do to it."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubert_tui.base.errors import MeasurementError
from kubert_tui.hosts.interface import Completed, Invocation
from kubert_tui.latency.launch import Run, Stage, forget, parse_state
from tests.support.latency_host import BOOT, RUN, PlayedHost

PROCESS = f"process 12 345 1000.25 {BOOT}"


@pytest.mark.parametrize(
    ("text", "stage"),
    [
        ("absent\n", Stage.ABSENT),
        ("prepared\n", Stage.PREPARED),
        (f"launched\nboot {BOOT}\n", Stage.STARTING),
        (f"launched\nboot {BOOT}\n{PROCESS}\nalive\n", Stage.RUNNING),
        (f"launched\nboot {BOOT}\n{PROCESS}\n", Stage.ENDED),
        (f"launched\nboot {BOOT}\n{PROCESS}\nexit 0 1001.5\n", Stage.ENDED),
        (f"launched\nboot {BOOT}\nexit 126 1001.5\n", Stage.ENDED),
    ],
)
def test_the_stages_of_a_run(text: str, stage: Stage) -> None:
    assert parse_state(text).stage is stage


def test_everything_that_is_told() -> None:
    state = parse_state(f"launched\nboot {BOOT}\ncancelled\n{PROCESS}\nexit 137 1001.5\n")
    assert state.process is not None
    assert (state.process.pid, state.process.start_ticks) == (12, 345)
    assert (state.process.started, state.finished) == (1000.25, 1001.5)
    assert (state.exit_status, state.cancelled, state.rebooted) == (137, True, False)
    assert parse_state(f"launched\nboot other\n{PROCESS}\n").rebooted


def test_a_date_without_fractions_is_taken_too() -> None:
    state = parse_state(f"launched\nboot {BOOT}\nprocess 12 345 1000.%N {BOOT}\nexit 0 1001.N\n")
    assert state.process is not None
    assert (state.process.started, state.finished) == (1000.0, 1001.0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "gone\n",
        "absent\nlaunched\n",
        "launched\nprocess -1 x\n",
        "launched\n\x1b[2J\n",
        "alive\n",
    ],
)
def test_nonsense_is_an_error(text: str) -> None:
    with pytest.raises(MeasurementError, match="no sensible state"):
        parse_state(text)


@given(st.text())
def test_any_answer_is_a_state_or_an_error(text: str) -> None:
    with contextlib.suppress(MeasurementError):
        parse_state(text)


@pytest.mark.parametrize("identity", ["", ".", "..", "a/b", "-x", "a b", "a\n", "x" * 129, "$x"])
def test_only_plain_names_name_a_run(identity: str) -> None:
    with pytest.raises(ValueError, match="cannot name"):
        Run(PlayedHost(), "/runs", identity)


def test_a_relative_directory_begins_at_the_logins_home() -> None:
    assert Run(PlayedHost(), ".state/runs", "one").directory == "/home/me/.state/runs/one"
    assert Run(PlayedHost(), "/runs/", "one").directory == "/runs/one"


class Late(PlayedHost):
    """A file is made between two looks at it."""

    def run(self, invocation: Invocation) -> Completed:
        if invocation.argv[0] == "test":
            self.files[f"{RUN}/counters.before"] = b"counted"
        return super().run(invocation)


def test_a_file_that_just_comes_into_being_is_read() -> None:
    assert Run(Late(), "/runs", "one").counters_before() == b"counted"
    assert Run(PlayedHost(), "/runs", "one").counters_before() == b""


def test_a_run_under_way_is_not_forgotten() -> None:
    host = PlayedHost()
    host.begin()
    with pytest.raises(MeasurementError, match="still runs"):
        forget(host, "one", "/runs")
