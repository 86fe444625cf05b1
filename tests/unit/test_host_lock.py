"""The lock of one host: the real script, in a directory of this test."""

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from kubert_tui.base.errors import KubertError, ToolMissingError
from kubert_tui.hosts.host_lock import (
    NONE,
    About,
    Holder,
    HostLock,
    LockResult,
    Reply,
    parse,
    span,
)
from kubert_tui.hosts.interface import Completed
from tests.support.stages import PretendedHost

ADA = About("ada@laptop", "twins", "run-1", "kernel")
BOB = About("bob@desk", "other", "run-2", "cyclictest")
ADAS, BOBS = "a" * 32, "b" * 32


@dataclass
class Place:
    """One host, two operators."""

    file: Path
    ada: HostLock
    bob: HostLock


@pytest.fixture
def place() -> Iterator[Place]:
    host = PretendedHost("bull1")
    file = Path(os.environ["KUBERT_TUI_LOCK_DIRECTORY"], "bull1", "lock")
    yield Place(file, HostLock(host, ADAS), HostLock(host, BOBS))
    assert {path.name for path in file.parent.iterdir()} <= {"lock", "mutex"}


def holder(reply: Reply) -> Holder:
    assert reply.holder is not None
    return reply.holder


def test_the_first_has_it_and_the_second_is_shown_who(place: Place) -> None:
    assert place.ada.take(ADA).result is LockResult.TAKEN
    reply = place.bob.take(BOB)
    assert reply.result is LockResult.HELD
    other = holder(reply)
    assert (other.about, other.fresh, other.left) == (ADA, True, 0)
    shown = other.describe(now=1_700_000_000)
    assert shown.startswith("ada@laptop (lab twins, stage kernel, since ")
    assert shown.endswith("s ago)")
    assert place.ada.take(ADA).result is LockResult.KEPT
    assert place.file.stat().st_mode & 0o777 == 0o644
    assert place.file.with_name("mutex").stat().st_mode & 0o777 == 0o600


def test_it_is_broken_only_for_whom_it_was_shown(place: Place) -> None:
    place.ada.take(ADA)
    shown = holder(place.bob.take(BOB)).token
    assert place.bob.take(BOB, instead="c" * 32).result is LockResult.HELD
    assert place.bob.take(BOB, instead=shown).result is LockResult.BROKE
    assert holder(place.ada.take(ADA, instead=shown)).about == BOB
    assert place.ada.release().result is LockResult.HELD
    assert place.bob.release().result is LockResult.RELEASED
    assert place.bob.release().result is LockResult.FREE
    assert not place.file.exists()


@pytest.mark.skipif(not shutil.which("taskset"), reason="without it they are given anywhere")
@pytest.mark.parametrize("cpus", ["", "{last}", "60000"])
def test_signs_of_life_are_given_where_house_is_kept(
    place: Place, cpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = os.sched_getaffinity(0)
    shim, seen = tmp_path / "nice", tmp_path / "seen"
    ask = "import os; print(*os.sched_getaffinity(os.getppid()))"
    shim.write_text(
        f'#!/bin/sh\n{sys.executable} -c "{ask}" > {seen}\nexec {shutil.which("nice")} "$@"\n'
    )
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    lock = replace(place.ada, cpus=cpus.format(last=max(here)))
    boot = lock.take(ADA).boot
    assert not seen.exists(), "only what is done while something is measured has to be calm"
    assert lock.keep(ADA, boot).result is LockResult.KEPT
    allowed = {max(here)} if cpus == "{last}" else here
    assert {int(cpu) for cpu in seen.read_text().split()} == allowed


def test_a_sign_of_life_never_takes_back_what_was_broken(place: Place) -> None:
    boot = place.ada.take(ADA).boot
    assert place.ada.keep(ADA, boot).result is LockResult.KEPT
    place.bob.take(BOB, instead=ADAS)
    assert place.ada.keep(ADA, boot).result is LockResult.HELD
    place.bob.release()
    assert place.ada.keep(ADA, boot).result is LockResult.FREE
    assert not place.file.exists()
    assert place.ada.keep(ADA, "an-earlier-boot").result is LockResult.TAKEN


def test_a_lock_of_an_earlier_boot_is_none(place: Place) -> None:
    boot = place.ada.take(ADA).boot
    place.file.write_text(place.file.read_text().replace(boot, "an-earlier-boot"))
    assert place.bob.take(BOB).result is LockResult.TAKEN


def test_silence_is_measured_by_the_host_since_its_boot(place: Place) -> None:
    boot = place.ada.take(ADA).boot
    beat = place.file.stat().st_mtime
    assert beat <= float(Path("/proc/uptime").read_text().split()[0])
    os.utime(place.file, (beat - 500, beat - 500))
    other = holder(place.bob.take(BOB))
    assert not other.fresh
    assert other.silent is not None
    assert other.silent >= 500
    inode = place.file.stat().st_ino
    place.ada.keep(ADA, boot)
    assert holder(place.bob.take(BOB)).fresh
    assert place.file.stat().st_ino == inode, "a sign of life alone needs no space"
    os.utime(place.file)  # a time of day, so nothing that we wrote
    assert holder(place.bob.take(BOB)).silent is None


def test_it_says_how_long_a_measurement_goes_on(place: Place) -> None:
    boot = place.ada.take(ADA, seconds="7000").boot
    place.ada.keep(ADA, boot)
    left = holder(place.bob.take(BOB)).left
    assert 6900 < left <= 7000
    assert "measures for about another" in holder(place.bob.take(BOB)).describe()
    place.ada.keep(ADA, boot, seconds=NONE)
    assert holder(place.bob.take(BOB)).left == 0


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"garbage",
        b"\x00" * 100_000,
        b"\x1b]0;owned\x07\x1b[31mred " * 10_000,
        b"a" * 32 + b" ",
        b"A" * 32 + b" b 1 2\n{}",
        b"*?[ $(touch /tmp/owned) `id`\n{",
        bytes(range(256)) * 64,
        "\u2060\u202e abc".encode(),
    ],
    ids=range(10),
)
def test_a_damaged_lock_is_somebody_s_until_it_is_broken(place: Place, content: bytes) -> None:
    place.file.parent.mkdir(parents=True)
    place.file.write_bytes(content)
    reply = place.ada.take(ADA)
    assert reply.result is LockResult.HELD
    other = holder(reply)
    assert other.about is None
    assert other.describe() == "somebody unknown (the lock there cannot be read)"
    place.file.write_bytes(b"x" + content)
    reply = place.ada.take(ADA, instead=other.token)
    assert reply.result is LockResult.HELD, "it is not what was shown any more"
    place.file.write_bytes(content)
    place.ada.take(ADA, instead=other.token)
    assert holder(place.bob.take(BOB)).about == ADA


def test_what_can_be_no_lock_is_left_alone(place: Place) -> None:
    (place.file / "inside").mkdir(parents=True)
    with pytest.raises(KubertError, match="cannot be used"):
        place.ada.take(ADA, instead=holder(place.ada.take(ADA)).token)
    assert (place.file / "inside").is_dir()


@pytest.mark.parametrize(
    "about",
    [
        b'{"operator": "\\u001b[31mada\\u202e", "lab": "' + b"x" * 5000 + b'"}',
        b'{"operator": 1}',
        b"[" * 5000,
        b"null",
    ],
    ids=range(4),
)
def test_what_an_owner_says_is_cleaned_and_bounded(about: bytes) -> None:
    text = b"result held\nboot b-1\nnow 50\ntoken abc\nsince 40\nuntil -\nbeat 45\nabout " + about
    other = holder(parse(Completed(("sh",), 0, text), "bull1"))
    assert other.describe().isprintable()
    assert len(other.describe()) < 400
    assert (other.since, other.silent) == (10, 5)


@pytest.mark.parametrize(
    ("stdout", "error", "words"),
    [
        (b"", KubertError, "no sensible answer"),
        (b"\xff\x00\n" * 9000, KubertError, "no sensible answer"),
        (b"result taken\n", KubertError, "no sensible answer"),
        (b"result owned\nboot b\n", KubertError, "no sensible answer"),
        (b"missing flock\n", ToolMissingError, "needs flock"),
        (b"error \x1b[31mNo space left on device\n", KubertError, "used: No space left"),
    ],
    ids=range(6),
)
def test_answers_that_are_none(stdout: bytes, error: type[KubertError], words: str) -> None:
    with pytest.raises(error, match=words) as caught:
        parse(Completed(("sh",), 1, stdout), "bull1")
    assert caught.value.host == "bull1"
    assert caught.value.fix


def test_numbers_of_a_host_are_not_believed_blindly() -> None:
    text = b"result held\nboot b\nnow 50\ntoken abc\nsince 99\nuntil 9e9\nbeat -3\nabout {}"
    other = holder(parse(Completed(("sh",), 0, text), "bull1"))
    assert (other.since, other.silent, other.left, other.fresh) == (None, None, 0, False)


def test_long_names_fit() -> None:
    about = About("\U0001f600" * 200, "é" * 200, "r" * 200, '"\\' * 100)
    assert len(about.line()) < 3500
    assert about.line().isascii()


def test_lengths_of_time() -> None:
    assert [span(one) for one in (8, 90, 840, 7200, 200_000)] == [
        "8 s", "90 s", "14 min", "2 h", "2 days",
    ]  # fmt: skip
