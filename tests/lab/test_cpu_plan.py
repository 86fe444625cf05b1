"""The CPU plan, headless on this machine: proposed, kept, and our own helpers stay on it."""

import os
from pathlib import Path

import pytest

from kubert_tui.base.errors import ExitCode
from kubert_tui.cpus.lists import cpus_of
from kubert_tui.lab.load import load_lab
from kubert_tui.lab.model import HostSpec
from tests.support.headless import auto, lab_file

QUICK = ("--set", "cyclictest.duration=3s")
ONLINE = cpus_of(Path("/sys/devices/system/cpu/online").read_text())

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="cyclictest needs root"),
]


def helpers(directory: Path) -> dict[str, set[int]]:
    """Affinity of our own programs beside the measurement below a directory."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
            ours = f"{(process / 'cwd').readlink()} {' '.join(words)}"
            for name in ("sampler.py", "recorder.pyz"):
                if str(directory) in ours and any(word.endswith(name) for word in words):
                    found[name] = set(os.sched_getaffinity(int(process.name)))
        except OSError:
            continue
    return found


@pytest.mark.skipif(len(ONLINE) < 2, reason="one CPU leaves nothing to choose from")
def test_it_is_proposed_written_and_kept_to(tmp_path: Path) -> None:
    lab = lab_file(tmp_path, HostSpec(name="here", connection="local"))
    before = lab.read_text()
    run = auto("--only", "cpu-plan", "--write-cpu-plan", lab=lab)
    assert run.finish() == ExitCode.OK, run.errors()
    (made,) = run.named("cpu-plan-made")
    assert made["proposed"]
    assert made["path"] == str(lab)
    plan = load_lab(lab).plan_of("here")
    assert plan is not None
    assert plan.housekeeping == cpus_of(made["housekeeping"])
    assert plan.housekeeping | plan.isolated == ONLINE
    assert [line for line in lab.read_text().splitlines() if line in before] == before.splitlines()

    run = auto("--only", "cpu-plan", "--only", "cyclictest", *QUICK, lab=lab)
    run.until("latency-snapshot")
    kept = {name: set(plan.housekeeping) for name in ("sampler.py", "recorder.pyz")}
    while helpers(Path.home()) != kept:
        # They move there as soon as they have started; it fails when the measurement is over.
        run.until("latency-snapshot")
    assert run.finish() == ExitCode.OK, run.errors()
    assert run.seen[-1]["states"]["cpu-plan"] == "satisfied"
    (started,) = run.named("latency-started")
    assert "--smp" in started["command"]
    assert set(started["cpus"]) == ONLINE, "the README measures all"


@pytest.mark.skipif(len(ONLINE) < 2, reason="one CPU leaves nothing to choose from")
def test_the_isolated_cpus_alone_are_measured_where_the_lab_says_so(tmp_path: Path) -> None:
    lab = lab_file(tmp_path, HostSpec(name="here", connection="local"))
    run = auto(
        *("--only", "cpu-plan", "--only", "cyclictest"),
        *("--set", "cyclictest.cpus=isolated", "--set", "cyclictest.duration=1s"),
        lab=lab,
    )
    assert run.finish() == ExitCode.OK, run.errors()
    (made,) = run.named("cpu-plan-made")
    assert not made["path"]
    (started,) = run.named("latency-started")
    assert set(started["cpus"]) == cpus_of(made["isolated"])
    assert run.named("latency-stored")[0]["exact"]
