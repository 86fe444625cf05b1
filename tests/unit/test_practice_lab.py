"""The practice lab's facade, with machines that are only played."""

import fcntl
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Flag

import pytest

from kubert_tui.base.errors import (
    BusyError,
    CancelledError,
    ExitCode,
    KubertError,
    ToolMissingError,
    UsageError,
)
from kubert_tui.lab.load import load_lab
from kubert_tui.lab.model import Permission
from kubert_tui.practice import lab as practice_lab
from kubert_tui.practice.lab import Practice
from kubert_tui.practice.model import Order, Places, Progress
from kubert_tui.practice.pace import Pace
from kubert_tui.practice.status import Standing
from kubert_tui.practice.tools import Tool
from tests.support.practice_played import PlayedDriver


@dataclass
class Bench:
    """A practice lab in a directory of its own."""

    places: Places
    driver: PlayedDriver
    seen: list[Progress] = field(default_factory=list)
    cancel: Flag = field(default_factory=Flag)

    @property
    def practice(self) -> Practice:
        """As another process would make it."""
        return Practice(self.places, driver=self.driver)

    @property
    def order(self) -> Order:
        return Order(self.seen.append, self.cancel)

    def up(self) -> Path:
        return self.practice.up(self.order)

    def down(self) -> None:
        self.practice.down(self.order)

    def images(self) -> list[str]:
        return sorted(path.name for path in self.places.cache.iterdir() if path.is_dir())


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(practice_lab, "answers", lambda lab, machine, limit=0: machine.running())
    places = Places(
        tmp_path / "cache", tmp_path / "state", tmp_path / "labs", tmp_path / "known_hosts"
    )
    return Bench(places, PlayedDriver())


def test_up_builds_starts_and_writes_the_lab_file(bench: Bench) -> None:
    file = bench.up()
    lab = load_lab(file)
    assert (lab.name, file.name) == ("practice", "practice.yaml")
    assert lab.allow == frozenset(Permission)
    assert lab.cyclictest.preset == "quick"
    assert [(one.name, one.address, one.port, one.user) for one in lab.hosts] == [
        ("bull1", "10.213.7.11", 2201, "root"),
        ("bull2", "10.213.7.11", 2201, "root"),
    ]
    assert bench.practice.status().standing is Standing.UP


def test_keys_and_password_are_ours_alone(bench: Bench) -> None:
    bench.up()
    directory = bench.practice.directory
    for path in (directory.user_key, directory.host_key("bull1"), directory.password):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.path.stat().st_mode) == 0o700
    assert len(directory.password.read_text()) >= 12
    known = bench.places.known_hosts.read_text()
    public = directory.host_key("bull2").with_name("bull2.host-key.pub").read_text().split()[1]
    assert f"[10.213.7.11]:2201 ssh-ed25519 {public} " in known


def test_a_second_up_builds_and_starts_nothing(bench: Bench) -> None:
    file = bench.up()
    key = bench.practice.directory.user_key.read_bytes()
    edited = file.read_text() + "# a remark of the user's\n"
    file.write_text(edited)
    assert bench.up() == file
    assert bench.driver.done.count("build") == 1
    assert [machine.starts for machine in bench.driver.made.values()] == [1, 1]
    assert bench.practice.directory.user_key.read_bytes() == key
    assert file.read_text() == edited


def test_up_starts_what_went_off(bench: Bench) -> None:
    bench.up()
    bench.driver.made["bull2"].on = False
    assert bench.practice.status().standing is Standing.OFF
    bench.up()
    assert [machine.starts for machine in bench.driver.made.values()] == [1, 2]


def test_a_lab_file_that_leads_elsewhere_is_written_anew(bench: Bench) -> None:
    file = bench.up()
    good = file.read_text()
    for garbled in (good.replace("10.213.7.11", "10.9.9.9"), good.replace("hosts:", "hosts: [}")):
        file.write_text(garbled)
        bench.up()
        assert file.read_text() == good


def test_down_removes_all_but_the_image(bench: Bench) -> None:
    bench.places.known_hosts.write_text("other ssh-ed25519 AAAA\n")
    file = bench.up()
    image = bench.images()
    bench.down()
    assert not file.exists()
    assert list(bench.places.state.iterdir()) == []
    assert bench.places.known_hosts.read_text() == "other ssh-ed25519 AAAA\n"
    assert bench.images() == image
    assert bench.practice.status().standing is Standing.ABSENT
    bench.down()
    bench.up()
    assert bench.driver.done.count("build") == 1


def test_down_where_nothing_ever_was(bench: Bench) -> None:
    bench.down()
    assert not bench.places.state.exists()


def test_forget_removes_the_image(bench: Bench) -> None:
    bench.up()
    with pytest.raises(KubertError, match="still there"):
        bench.practice.forget()
    bench.down()
    assert bench.practice.cache_bytes() > 0
    bench.practice.forget()
    assert list(bench.places.cache.iterdir()) == []
    assert bench.practice.cache_bytes() == 0


def test_an_image_that_a_machine_has_open_is_not_removed(bench: Bench) -> None:
    bench.up()
    bench.down()
    (name,) = bench.images()
    with (bench.places.cache / name / "fetching").open(), pytest.raises(BusyError):
        bench.practice.forget()
    assert bench.images() == [name]


def test_another_recipe_is_another_image(bench: Bench) -> None:
    bench.up()
    first = bench.practice.status()
    bench.driver.text = "recipe 2"
    # A lab that is there keeps its own: its disks are copies of it.
    bench.up()
    assert bench.driver.done.count("build") == 1
    bench.down()
    bench.up()
    assert bench.driver.done.count("build") == 2
    assert len(bench.images()) == 2
    assert first.image_built


def test_an_image_that_vanished_takes_its_copies_along(bench: Bench) -> None:
    bench.up()
    for name in bench.images():
        (bench.places.cache / name).rename(bench.places.cache.parent / "elsewhere")
    bench.driver.done.clear()
    bench.up()
    assert [word.split()[0] for word in bench.driver.done] == ["destroy", "build", "create"]


def test_a_build_that_fails_leaves_its_log_only(bench: Bench) -> None:
    def fail(target: Path, pace: Pace) -> None:
        (target / "build.log").write_text("no space left\n")
        raise KubertError("mmdebstrap failed")

    bench.driver.on_build = fail
    with pytest.raises(KubertError, match="mmdebstrap failed") as failure:
        bench.up()
    assert Path(failure.value.log).read_text() == "no space left\n"
    assert bench.images() == []
    assert bench.practice.status().standing is Standing.ABSENT
    bench.driver.on_build = lambda target, pace: None
    bench.up()
    assert not Path(failure.value.log).exists()


def test_leftovers_of_a_killed_build_are_removed_by_the_next(bench: Bench) -> None:
    def killed(target: Path, pace: Pace) -> None:
        raise SystemExit  # nothing of ours runs after a kill -9: the directory is put back below

    bench.driver.on_build = killed
    with pytest.raises(SystemExit):
        bench.up()
    (half,) = [bench.practice._images.path.with_name(
        f".building-{bench.practice._images.path.name}")]  # fmt: skip
    half.mkdir()
    (half / "root").write_text("half a system")
    bench.driver.on_build = lambda target, pace: None
    bench.driver.done.clear()
    bench.up()
    assert bench.driver.done[:2] == ["discard", "build"]
    assert not half.exists()
    (image,) = bench.images()
    assert not (bench.places.cache / image / "root").exists()


def test_leftovers_of_a_killed_build_are_removed_by_down(bench: Bench) -> None:
    half = bench.practice._images.path.with_name(f".building-{bench.practice._images.path.name}")
    half.mkdir(parents=True)
    bench.places.state.mkdir()
    bench.down()
    assert not half.exists()


def test_cancelled_while_building(bench: Bench) -> None:
    bench.driver.on_build = lambda target, pace: bench.cancel.set() or pace.tick()  # type: ignore[func-returns-value]
    with pytest.raises(CancelledError):
        bench.up()
    assert bench.images() == []
    assert list(bench.places.state.iterdir()) == []
    assert "discard" in bench.driver.done


def test_what_was_being_written_when_we_were_killed_goes(bench: Bench) -> None:
    file = bench.up()
    left = [
        path.with_name(f".{path.name}.x7_abc")
        for path in (file, bench.places.known_hosts, bench.practice._images.durations)
    ]
    for path in left:
        path.write_text("half")
    bench.down()
    assert not any(path.exists() for path in left)


def test_what_an_interrupted_down_left_is_removed_before_up(bench: Bench) -> None:
    bench.up()
    old = bench.practice.directory.user_key.read_bytes()
    (bench.practice.directory.path / ".removing").touch()
    bench.practice.directory.password.unlink()
    bench.driver.done.clear()
    bench.up()
    assert bench.driver.done[0] == "destroy"
    assert bench.practice.directory.user_key.read_bytes() != old


def test_a_machine_that_goes_off_is_told_with_its_last_words(bench: Bench) -> None:
    bench.driver.dying = True
    with pytest.raises(KubertError, match="bull1 went off") as failure:
        bench.up()
    assert failure.value.details == "the last words"


def test_somebody_elses_lab_file_is_not_touched(bench: Bench) -> None:
    bench.places.labs.mkdir()
    own = bench.places.labs / "practice.yaml"
    own.write_text("name: practice\nhosts: [{name: bull9}]\n")
    with pytest.raises(UsageError, match="lab of your own"):
        bench.up()
    bench.down()
    assert "bull9" in own.read_text()


def test_missing_tools_are_named_with_their_packages(bench: Bench) -> None:
    bench.driver.tools = [Tool("slirp4netns", "slirp4netns", "slirp4netns-fc")]
    with pytest.raises(ToolMissingError) as failure:
        bench.up()
    assert "slirp4netns" in failure.value.what
    assert "apt-get install slirp4netns;" in failure.value.fix
    assert "dnf install slirp4netns-fc" in failure.value.fix
    assert not bench.places.state.exists()


def test_root_is_needed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(KubertError, match="root") as failure:
        bench.up()
    assert "sudo" in failure.value.fix


def test_the_second_waits_for_the_first_and_can_be_called_off(bench: Bench) -> None:
    bench.places.state.mkdir()
    with (bench.places.state / ".practice.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        seen: list[Progress] = []

        def watch(progress: Progress) -> None:
            seen.append(progress)
            bench.cancel.set()

        with pytest.raises(CancelledError):
            bench.practice.up(Order(watch, bench.cancel))
        assert seen[0].step == "waiting for another kubert-tui"
    assert bench.driver.done == []


def test_an_image_is_not_forgotten_while_somebody_builds(bench: Bench) -> None:
    bench.places.cache.mkdir()
    with (bench.places.cache / ".containers.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(BusyError) as failure:
            bench.practice.forget()
    assert failure.value.exit_code is ExitCode.BUSY


@pytest.mark.parametrize(
    "garble",
    [b"", b"\xff\xfe\0", b"../../etc", b"x" * 100_000],
    ids=["empty", "binary", "elsewhere", "long"],
)
@pytest.mark.parametrize("name", ["image", "key.pub", "engineer.password"])
def test_garbled_state_never_keeps_it_from_going(name: str, garble: bytes, bench: Bench) -> None:
    bench.up()
    (bench.practice.directory.path / name).write_bytes(garble)
    bench.practice.status()
    bench.down()
    assert list(bench.places.state.iterdir()) == []
    bench.up()


@pytest.mark.parametrize(
    "other", [lambda b: b.places.state / "other", lambda b: b.places.state.parent / "practice"]
)
def test_names_known_to_the_whole_machine_differ_between_labs(
    other: Callable[[Bench], Path], bench: Bench
) -> None:
    bench.up()
    mine = bench.practice.directory
    theirs = type(mine)(other(bench), "practice")
    assert mine.tag != theirs.tag
    assert len(mine.tag) == 8
