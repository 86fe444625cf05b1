"""Small parts of the practice lab: subnets, pace, tools, mounts, recipe."""

import json
from ipaddress import IPv4Network
from pathlib import Path
from threading import Event as Flag

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubert_tui.base.errors import CancelledError, KubertError
from kubert_tui.practice import containers, mounts, network, processes
from kubert_tui.practice.containers import Containers
from kubert_tui.practice.images import Images
from kubert_tui.practice.model import Order, Progress
from kubert_tui.practice.network import choose_subnet
from kubert_tui.practice.pace import Pace, Step
from kubert_tui.practice.tools import Tool, missing


def _nets(*texts: str) -> list[IPv4Network]:
    return [IPv4Network(text) for text in texts]


@pytest.mark.parametrize(
    ("before", "used", "chosen"),
    [
        ("", (), "10.213.1.0/24"),
        ("", ("10.213.1.0/24", "192.168.0.0/16"), "10.213.2.0/24"),
        ("", ("10.213.0.0/21",), "10.213.8.0/24"),
        ("", ("10.213.1.77/32",), "10.213.2.0/24"),
        ("10.213.9.0/24", ("10.213.1.0/24",), "10.213.9.0/24"),
        ("10.213.9.0/24", ("10.213.9.0/24",), "10.213.1.0/24"),
    ],
)
def test_a_subnet_that_nobody_uses(before: str, used: tuple[str, ...], chosen: str) -> None:
    own = IPv4Network(before) if before else None
    assert choose_subnet(own, _nets(*used)) == IPv4Network(chosen)


def test_no_subnet_is_left() -> None:
    with pytest.raises(KubertError, match=r"10\.213\.0\.0/16 is in use"):
        choose_subnet(None, _nets("10.0.0.0/8"))


def test_which_networks_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    routes = [{"dst": "default"}, {"dst": "10.213.3.0/24"}, {"dst": "10.213.4.7"}, {}, 7]
    links = [{"addr_info": [{"local": "10.213.5.1", "prefixlen": 24}]}, {"addr_info": []}]

    def run(argv: tuple[str, ...], *, mark: str) -> str:
        return json.dumps(routes if "route" in argv else links)

    monkeypatch.setattr(processes, "run", run)
    assert network.taken() == _nets("10.213.3.0/24", "10.213.4.7/32", "10.213.5.0/24")


def test_unreadable_routes_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "run", lambda argv, *, mark: "not json")
    assert network.taken() == []


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_progress_and_what_remains(tmp_path: Path) -> None:
    seen: list[Progress] = []
    clock = Clock()
    memory = tmp_path / "durations.json"
    steps = (Step("fetch", 30), Step("unpack", 10))
    pace = Pace(Order(seen.append, Flag()), steps, memory, clock)
    pace.begin("fetch")
    clock.now = 15
    pace.tick()
    clock.now = 60
    pace.tick()
    pace.begin("unpack")
    clock.now = 70
    pace.finish()
    assert [(one.step, one.done, one.remaining) for one in seen] == [
        ("fetch", 0, 40),
        ("fetch", 15 / 40, 25),
        ("fetch", pytest.approx(29.1 / 40), pytest.approx(10.9)),
        ("unpack", 30 / 40, 10),
        ("unpack", 1, 0),
    ]
    seen.clear()
    Pace(Order(seen.append, Flag()), steps, memory, clock).begin("fetch")
    assert seen[0].remaining == 70, "the next time goes by what was measured"


@given(
    st.binary() | st.sampled_from([b"[]", b'{"fetch": "x"}', b'{"fetch": -1}', b'{"fetch": NaN}'])
)
def test_a_garbled_memory_is_none(garbled: bytes) -> None:
    import tempfile

    with tempfile.NamedTemporaryFile() as file:
        file.write(garbled)
        file.flush()
        seen: list[Progress] = []
        Pace(Order(seen.append, Flag()), (Step("fetch", 30),), Path(file.name)).begin("fetch")
    assert seen[0].remaining == pytest.approx(30, abs=1)


def test_progress_never_goes_back_and_ends_at_one() -> None:
    seen: list[Progress] = []
    clock = Clock()
    pace = Pace(Order(seen.append, Flag()), (Step("a", 5), Step("b", 5)), None, clock)
    for step in ("a", "b"):
        pace.begin(step)
        for _ in range(20):
            clock.now += 1
            pace.tick()
    pace.finish()
    assert [one.done for one in seen] == sorted(one.done for one in seen)
    assert seen[-1].done == 1
    assert all(one.remaining is None or one.remaining >= 0 for one in seen)


def test_a_tick_stops_the_work_once_called_off() -> None:
    cancel = Flag()
    pace = Pace(Order(lambda progress: None, cancel), (Step("a", 5),))
    pace.begin("a")
    cancel.set()
    with pytest.raises(CancelledError):
        pace.tick()


def test_missing_tools_keep_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = tmp_path / "there"
    there.write_text("#!/bin/sh\n")
    there.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("kubert_tui.practice.tools.SBIN", ())
    names = ("gone", "there", str(there), str(tmp_path / "no-file"))
    tools = [Tool(name, name, name) for name in names]
    assert [tool.program for tool in missing(tools)] == ["gone", str(tmp_path / "no-file")]


def test_the_recipe_decides_the_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Images(tmp_path, Containers()).path
    assert Images(tmp_path, Containers()).path == first
    assert first.name.startswith("containers-")
    monkeypatch.setattr(Containers, "packages", (*containers.PACKAGES, "strace"))
    assert Images(tmp_path, Containers()).path != first
    assert "rt-tests" not in Containers().recipe(), "that stage is to have something to do"


def test_marks_are_found_and_only_ours(tmp_path: Path) -> None:
    log = tmp_path / "log"
    processes.start(["sleep", "100"], mark="ktest-a/one", log=log)
    processes.start(["sleep", "100"], mark="ktest-ab/one", log=log)
    try:
        assert len(processes.marked("ktest-a")) == 1
        assert processes.marked("ktest-a/one") == processes.marked("ktest-a")
        assert processes.marked("ktest") == []
        processes.kill_marked("ktest-a")
        assert processes.marked("ktest-a") == []
        assert len(processes.marked("ktest-ab")) == 1
    finally:
        processes.kill_marked("ktest-a", "ktest-ab")


def test_a_long_program_is_ended_with_all_its_children(tmp_path: Path) -> None:
    cancel = Flag()
    pace = Pace(Order(lambda progress: None, cancel), ())
    log = tmp_path / "log"

    def watch() -> None:
        if b"begun" in log.read_bytes():
            cancel.set()

    script = "setsid sleep 100 & echo begun; wait"
    with pytest.raises(CancelledError):
        processes.run_long(["sh", "-c", script], mark="ktest-long", log=log, pace=pace, watch=watch)
    assert processes.marked("ktest-long") == []


def test_a_program_that_fails_is_told_with_its_last_words(tmp_path: Path) -> None:
    pace = Pace(Order(lambda progress: None, Flag()), ())
    argv = ["sh", "-c", "echo one; echo two >&2; exit 3"]
    for run in (
        lambda: processes.run_long(argv, mark="x", log=tmp_path / "log", pace=pace),
        lambda: processes.run(argv, mark="x"),
    ):
        with pytest.raises(KubertError, match="sh failed") as failure:
            run()
        assert failure.value.exit_status == 3
        assert {"one", "two"} == set(failure.value.details.split())


def test_mount_points_below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = (
        "22 1 8:1 / / rw - ext4 /dev/sda rw\n"
        f"30 22 0:1 / {tmp_path}/a rw - tmpfs t rw\n"
        f"31 30 0:2 / {tmp_path}/a/b\\040c rw - overlay o rw,lowerdir=/images/x-1/root,up=/u\n"
        f"32 22 0:3 / {tmp_path}/ab rw - tmpfs t rw\n"
    )
    read = Path.read_text

    def played(path: Path, *arguments: str, **options: str) -> str:
        if str(path) == "/proc/self/mountinfo":
            return table
        return read(path, *arguments, **options)

    monkeypatch.setattr(Path, "read_text", played)
    assert mounts.below(tmp_path / "a") == [tmp_path / "a/b c", tmp_path / "a"]
    assert mounts.is_mounted(tmp_path / "a/b c")
    assert not mounts.is_mounted(tmp_path / "a/b")
    assert mounts.mentions(Path("/images/x-1"))
    assert not mounts.mentions(Path("/images/x"))


def test_who_becomes_another_program_again_and_again_is_always_found(tmp_path: Path) -> None:
    script = tmp_path / "again.sh"
    script.write_text('exec sh "$0"\n')
    mark = f"test:{tmp_path}"
    processes.start(["sh", str(script)], mark=mark, log=tmp_path / "log")
    try:
        found = [len(processes.marked(mark)) for _ in range(300)]
    finally:
        processes.kill_marked(mark)
    assert set(found) == {1}
    assert processes.marked(mark) == []
