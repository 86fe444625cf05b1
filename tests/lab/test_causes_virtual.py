"""Our scripts with the real hwlat and timerlat tracers, on Debian's PREEMPT_RT kernel, emulated."""

import re
import shutil
from importlib.resources import files
from pathlib import Path

import pytest

from kubert_tui.causes.hwlat import parse_hwlat
from kubert_tui.causes.timerlat import parse_timerlat
from tests.support.emulated import boot, kernel

RTLA = shutil.which("rtla") or ""
TIMEOUT, SETSID = shutil.which("timeout") or "", shutil.which("setsid") or ""

pytestmark = [
    pytest.mark.lab,
    pytest.mark.virtual,
    pytest.mark.long,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(not RTLA, reason="rtla is not installed"),
    pytest.mark.skipif(not shutil.which("qemu-system-x86_64"), reason="QEMU is not installed"),
]

SCRIPT = """\
place=/sys/kernel/tracing
look() { sh -c "$(cat /look.sh)" sh "$@"; }
state() {
    mount -t tracefs t $place
    echo "STATE on $(cat $place/tracing_on) tracer $(cat $place/current_tracer)" \\
        "threshold $(cat $place/tracing_thresh) events $(wc -l < $place/set_event)" \\
        "hwlat $(cat $place/hwlat_detector/w*) instances $(ls $place/instances)" \\
        "osnoise $(cat $place/osnoise/*_us $place/osnoise/cpus)" | tr '\\n' ' '
    umount $place
    echo "$(mount | grep -c tracefs)"
}
job() {
    directory=/run/$1
    shift
    mkdir $directory
    cp /*.sh $directory
    setsid sh $directory/job.sh $directory "$@" &
}
await() {
    while sleep 1; do
        case $(look /run/$1) in
            running* | starting | prepared) ;;
            *) break ;;
        esac
    done
    echo "LOOK $1 $(look /run/$1)"
    echo "BEGIN $1"
    cat /run/$1/out
    echo "END $1"
    cat /run/$1/err
}
# NAME INSTANCE: kill the job's launcher once its instance is there, and look twice.
cut() {
    mount -t tracefs t $place
    until [ -d $place/instances/$2 ]; do sleep 1; done
    umount $place
    sleep 2
    read -r pid rest < /run/$1/job
    kill -9 $pid
    sleep 1
    echo "LOOK $1 $(look /run/$1) $(look /run/$1)"
}
state
job hwlat hwlat.sh 10 10
await hwlat
state
job timerlat timerlat.sh 10 rtla timerlat hist -d 10s -p 1000 -E 500 -P f:90
await timerlat
state
job killed hwlat.sh 600 10
cut killed kubert-tui-hwlat
state
job lost timerlat.sh 600 rtla timerlat hist -d 600s
cut lost timerlat_hist
state
job stopped hwlat.sh 600 10
sleep 3
until [ -e /run/stopped/child ]; do sleep 1; done
look /run/stopped stop
await stopped
state
ps | grep -E '[h]wlat.sh|[t]imerlat'
echo OVER
"""


def scripts() -> dict[str, str]:
    found = {}
    for package in ("causes", "latency"):
        for path in files(f"kubert_tui.{package}").iterdir():
            if path.name.endswith(".sh"):
                found[path.name] = path.read_text(encoding="utf-8")
    return found


def test_the_tracers_measure_and_all_is_put_back(tmp_path: Path) -> None:
    console = boot(
        kernel(tmp_path),
        programs=[RTLA, TIMEOUT, SETSID],
        files=scripts(),
        script=SCRIPT,
        limit=1500,
    )
    assert "\nOVER\n" in console, console[-3000:]
    looks = dict(re.findall(r"^LOOK (\w+) (.*)$", console, re.MULTILINE))
    assert looks.pop("stopped").startswith("ended ")
    assert looks == {
        "hwlat": "ended 0",
        "timerlat": "ended 0",
        "killed": "killed killed",
        "lost": "killed killed",
    }
    hardware = parse_hwlat(_between(console, "hwlat"))
    assert (hardware.seconds, hardware.threshold, hardware.width) == (10, 10, 500_000)
    assert all(gap.longest > 10 for gap in hardware.gaps)
    columns = parse_timerlat(_between(console, "timerlat")).columns
    assert {(column.kind, column.cpu) for column in columns} == {
        ("IRQ", 0), ("IRQ", 1), ("thread", 0), ("thread", 1),
    }  # fmt: skip
    states = re.findall(r"^.*?(STATE .*)$", console, re.MULTILINE)
    assert len(states) == 6
    assert set(states) == {states[0]}, states
    after = console[console.rindex("STATE ") : console.index("\nOVER\n")]
    assert "hwlat.sh" not in after
    assert "timerlat" not in after


def _between(console: str, name: str) -> str:
    return console.partition(f"BEGIN {name}\n")[2].partition(f"END {name}\n")[0]
