"""What is told of runs that failed, ended early, or need a remark."""

import pytest

from kubert_tui.base.errors import MeasurementError
from kubert_tui.latency.failures import MeasurementInterruptedError
from tests.support.latency_host import PlayedHost
from tests.support.latency_played import FINAL, Told, carry_out


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.mark.parametrize(
    ("status", "stdout", "stderr", "said"),
    [
        ("137", b"", b"", "SIGKILL"),
        ("1", b"", b"Unable to change scheduling policy!\n", "real-time scheduling"),
        ("255", b"", b"mlockall: Cannot allocate memory\n", "lock its memory"),
        ("1", b"", b"FATAL: failed to create thread 0\n", "create its threads"),
        ("0", b"cyclictest V 2.40\nUsage:\n", b"x: unrecognized option '--n'\n", "usage"),
        ("0", b"", b"", "no result"),
        ("127", b"", b"run.sh: cyclictest: not found\n", "cannot be started"),
        ("3", FINAL[:-40], b"", "status 3"),
        ("0", FINAL[:-40], b"", "line"),
    ],
)
def test_failures_are_explained(
    told: Told, status: str, stdout: bytes, stderr: bytes, said: str
) -> None:
    host = PlayedHost(stdout=stdout, stderr=stderr, status=status)
    with pytest.raises(MeasurementError, match=said) as caught:
        carry_out(host, told)
    assert caught.value.fix
    assert caught.value.host == "played"


def test_a_run_that_ended_early_is_no_success(told: Told) -> None:
    host = PlayedHost(stdout=FINAL.replace(b"000003", b"000002"))
    with pytest.raises(MeasurementInterruptedError, match="after 3 of 4 cycles") as caught:
        carry_out(host, told)
    assert caught.value.measured is not None
    assert caught.value.measured.final.samples == 6


def test_what_a_reader_must_know_is_noted(told: Told) -> None:
    without = FINAL.replace(b"# /dev/cpu_dma_latency set to 0us\n", b"")
    warnings = b"WARN: distance is ignored and set to 0\nWARN: High resolution timers missing\n"
    host = PlayedHost(stdout=without, stderr=warnings)
    notes = carry_out(host, told).notes
    assert any("cpu_dma_latency" in note for note in notes)
    assert any("High resolution" in note for note in notes)
    assert not any("distance" in note for note in notes)
