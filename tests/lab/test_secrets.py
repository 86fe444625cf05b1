"""Passwords through both faces: asked once, used everywhere, written and shown nowhere.

After each run everything is searched that it wrote here and on the host (which is this machine),
the terminal's whole transcript and every screen included; at the end every file of this machine
that changed meanwhile. Arguments and environments of all processes are watched all the time.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from textual.events import Paste
from textual.pilot import Pilot
from textual.widgets import Input

from kubert_tui.base.errors import ExitCode
from kubert_tui.base.secrets import MASK
from kubert_tui.engine.session import Session
from kubert_tui.lab.model import HostSpec, Lab, Permission
from kubert_tui.lab.write import write_lab
from kubert_tui.screens.app import KubertApp
from kubert_tui.screens.error import ErrorScreen
from kubert_tui.screens.glyphs import UNICODE
from kubert_tui.screens.questions.host_key import HostKeyForm
from kubert_tui.screens.questions.review import ReviewForm
from kubert_tui.screens.questions.secret import SecretForm
from kubert_tui.screens.widgets.rail import Rail
from tests.screens.driving import finished, screen_text
from tests.screens.practice_fake import FakePractice
from tests.support.canary import (
    Typist,
    Watch,
    canary,
    found_below,
    found_in_bytes,
    found_on_this_machine,
)
from tests.support.canary_run import stages
from tests.support.sshd import Sshd, SystemUser, make_key, start_sshd, throwaway_user

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to make a user"),
]

ROOT = Path(__file__).parents[2]
PROGRAM = (sys.executable, "-m", "tests.support.canary_run")
AUTO = (*PROGRAM, "--auto", "--accept-new-host-keys")


@dataclass(frozen=True)
class Bait:
    """The secrets of one test, and where they could be left behind."""

    directory: Path
    home: Path
    login: str = field(default_factory=canary)
    """Login and sudo password."""
    passphrase: str = field(default_factory=canary)
    wrong: str = field(default_factory=canary)
    """A mistyped password is a secret, too."""

    def secret(self, letter: str) -> str:
        """Return what `Case.typed` means by a letter."""
        return {"p": self.login, "s": self.login, "k": self.passphrase}.get(letter, self.wrong)

    def left_behind(self, user: SystemUser) -> list[str]:
        """Return every file in which any of it is left, here and on the host."""
        return found_below(
            *(self.directory, self.home, user.home, Path("/var/lib/kubert-tui")),
            *(Path(place) for place in ("/var/log", "/var/tmp", "/run", "/dev/shm")),
            *Path("/tmp").glob("kubert-ansible*"),
        )


@pytest.fixture(scope="module", autouse=True)
def nothing_on_this_machine() -> Iterator[None]:
    """In the end no file of this machine that changed meanwhile may have any of it."""
    stamp = Path("/tmp", f"kubert-canary-{os.getpid()}")
    stamp.touch()
    yield
    found = found_on_this_machine(stamp)
    stamp.unlink()
    assert not found


@pytest.fixture
def bait(tmp_path: Path, own_directories: Path) -> Bait:
    return Bait(tmp_path, own_directories)


@contextmanager
def host(bait: Bait, *extra: str) -> Iterator[tuple[SystemUser, Sshd]]:
    """A user whose password is the canary, on a server of its own."""
    with (
        throwaway_user(sudoers="ALL=(ALL) ALL") as user,
        start_sshd(bait.directory / "sshd", extra=extra) as server,
    ):
        line = f"{user.name}:{bait.login}".encode()
        subprocess.run(["chpasswd"], input=line, check=True, timeout=30)
        yield user, server


def _let_in(user: SystemUser, key: Path) -> None:
    directory = user.home / ".ssh"
    directory.mkdir()
    (directory / "authorized_keys").write_bytes(key.with_suffix(".pub").read_bytes())


def lab_of(bait: Bait, spec: HostSpec) -> Path:
    path = bait.directory / "lab.yaml"
    write_lab(Lab(name="canary", hosts=(spec,), allow=frozenset(Permission)), path)
    return path


@dataclass(frozen=True)
class Case:
    """Stages to work on, what is typed at which prompt, and how that ends."""

    stages: str
    typed: str
    """Letters: p password, s sudo password, k passphrase; in capitals: a wrong one.

    With `+` in the end the last one is typed as often as it is asked for."""
    code: ExitCode
    json: bool = True
    said: str = ""
    """Something it must have told, so that the case is what it is meant to be."""


PROMPTS = {"p": "(?<!sudo )password of ", "s": "sudo password of ", "k": "Passphrase of "}
CASES = {
    "all goes well": Case("connect,root", "ps", ExitCode.NEEDS_CONFIRMATION, said="changed"),
    "to read": Case("connect,root", "ps", ExitCode.NEEDS_CONFIRMATION, json=False),
    "mistyped first": Case("root", "PpSs", ExitCode.NEEDS_CONFIRMATION, said="changed"),
    "a key": Case("root", "Kks", ExitCode.NEEDS_CONFIRMATION, said="changed"),
    "no way in": Case("connect,root", "PPP", ExitCode.AUTHENTICATION, said="did not let us in"),
    "sudo refuses": Case("root", "pS+", ExitCode.AUTHENTICATION, json=False),
    "a playbook fails": Case("playbook", "ps", ExitCode.CHANGE_FAILED, said="UNDONE"),
    "it fails to read": Case("playbook", "ps", ExitCode.CHANGE_FAILED, json=False, said="UNDONE"),
    "a bug": Case("connect,bug", "ps", ExitCode.INTERNAL, said="a bug in kubert-tui"),
    "measured": Case("cyclictest", "ps", ExitCode.OK, said="latency-stored"),
}

# All that a playbook could let slip, and a failure that repeats its command.
PLAYBOOK = """\
- name: Look at everything
  hosts: all
  become: true
  gather_facts: false
  tasks:
    - name: What Ansible knows
      ansible.builtin.debug:
        var: vars
    - name: Fail
      ansible.builtin.shell: >-
        env; set; cat /proc/$PPID/environ; ls -A /tmp | head -3; echo UNDONE >&2; exit 3
"""


QUICK = ("all goes well", "a key", "a bug", "measured")


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in QUICK else pytest.mark.long) for name in CASES],
)
def test_headless(name: str, bait: Bait) -> None:
    case = CASES[name]
    playbook = bait.directory / "playbook.yml"
    playbook.write_text(PLAYBOOK)
    key = make_key(bait.directory / "key", passphrase=bait.passphrase)
    output = bait.directory / "stdout" if case.json else None
    with host(bait) as (user, server):
        _let_in(user, key)
        spec = server.spec(
            "bull1", user=user.name, identity_file=str(key) if "k" in case.typed else ""
        )
        only = [word for stage in case.stages.split(",") for word in ("--only", stage)]
        argv = (*AUTO, "--lab", str(lab_of(bait, spec)), *only, *(["--json"] if case.json else []))
        quick = ("--set", "cyclictest.duration=1s")
        with Watch() as watch:
            typist = Typist((*argv, *quick), output=output, CANARY_PLAYBOOK=str(playbook))
            for letter in case.typed.removesuffix("+"):
                assert typist.type(PROMPTS[letter.lower()], bait.secret(letter))
            last = case.typed[-2] if case.typed.endswith("+") else ""
            while last and typist.type(PROMPTS[last.lower()], bait.secret(last)):
                assert typist.transcript.tell() < 100_000
            code = typist.finish()
        shown = typist.transcript.getvalue() + (output.read_bytes() if output else b"")
        assert code == case.code, shown.decode(errors="replace")
        assert case.said.encode() in shown
        assert found_in_bytes(shown) == ""
        assert watch.found == []
        assert watch.looks > 10
        assert bait.left_behind(user) == []
    if case.code is ExitCode.INTERNAL:
        report = next(bait.home.rglob("bug.txt")).read_text()
        assert "Traceback" in report
        assert report.count(MASK) >= 3
    if case.json and output:
        assert [json.loads(line) for line in output.read_bytes().splitlines()]


def wait_until(true: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 120
    while not true():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.05)


def processes_with(mark: str) -> list[str]:
    """Return the processes that have `mark` in the environment they were started with."""
    found = []
    for file in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if mark.encode() in file.read_bytes():
                found.append(file.parent.name)
    return found


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGKILL,
        pytest.param(signal.SIGABRT, marks=pytest.mark.long),
        pytest.param(signal.SIGQUIT, marks=pytest.mark.long),
    ],
)
def test_killed_in_the_middle_of_a_playbook(number: signal.Signals, bait: Bait) -> None:
    output = bait.directory / "stdout"
    release = bait.directory / "release"
    mark = f"CANARY_RUN={bait.directory}"
    with host(bait) as (user, server), Watch() as watch:
        lab = lab_of(bait, server.spec("bull1", user=user.name, identity_file=""))
        typist = Typist(
            (*AUTO, "--lab", str(lab), "--only", "waits", "--json"),
            output=output,
            directory=bait.directory,  # where a core dump would be
            PYTHONPATH=str(ROOT),
            CANARY_RELEASE=str(release),
            CANARY_RUN=str(bait.directory),
        )
        for letter in "ps":
            assert typist.type(PROMPTS[letter], bait.secret(letter))
        wait_until(lambda: b'"task":"Begin"' in output.read_bytes(), "the playbook is under way")
        os.kill(typist.process.pid, number)
        assert typist.finish() == -number
        wait_until(lambda: not processes_with(mark), "what it started has ended")
        release.touch()
        assert bait.left_behind(user) == []
        assert found_in_bytes(typist.transcript.getvalue()) == ""
    assert watch.found == []


# A sudo that says aloud what it was told, in every way it knows; then it obeys, or does not.
TALKATIVE = """\
#!/usr/bin/python3
import base64, json, os, shlex, subprocess, sys, urllib.parse
words = sys.argv[1:]
prompt = ""
while words and words[0].startswith("-"):
    option = words.pop(0)
    if option in ("-p", "-u"):
        value = words.pop(0)
        prompt = value if option == "-p" else prompt
sys.stderr.write(prompt)
sys.stderr.flush()
typed = b""
while not typed.endswith(b"\\n"):
    typed += os.read(0, 1) or b"\\n"
raw = typed[:-1]
word = raw.decode()
told = [word, json.dumps(word), json.dumps(word, ensure_ascii=False), repr(word), raw.hex()]
told += [shlex.quote(word), urllib.parse.quote(word), urllib.parse.quote_plus(word)]
told += [base64.b64encode(raw).decode(), "x" * 1985 + word]
status = subprocess.run(words).returncode if "OBEYS" == "yes" else 1
for line in told * bool(word):
    print("sudo: not", line, file=sys.stderr)
    print("sudo: not", line, flush=True)
sys.exit(status)
"""


@pytest.fixture
def tools() -> Iterator[Path]:
    """A directory for programs that any user may run."""
    with tempfile.TemporaryDirectory(prefix="kubert-tools-") as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)


@pytest.mark.parametrize(
    ("obeys", "face"),
    [
        pytest.param("no", "--json", marks=pytest.mark.long),
        ("yes", "--json"),
        pytest.param("yes", "", marks=pytest.mark.long),
    ],
)
def test_a_host_that_says_the_password_aloud(
    obeys: str, face: str, bait: Bait, tools: Path
) -> None:
    (tools / "sudo").write_text(TALKATIVE.replace("OBEYS", obeys))
    (tools / "sudo").chmod(0o755)
    playbook = bait.directory / "playbook.yml"
    playbook.write_text(PLAYBOOK)
    with host(bait, f'ForceCommand PATH={tools}:$PATH; eval "$SSH_ORIGINAL_COMMAND"') as (
        user,
        one,
    ):
        lab = lab_of(bait, one.spec("bull1", user=user.name, identity_file=""))
        output = bait.directory / "stdout" if face else None
        argv = (*AUTO, *filter(None, [face]), "--lab", str(lab), "--only", "playbook")
        with Watch() as watch:
            typist = Typist(argv, output=output, CANARY_PLAYBOOK=str(playbook))
            assert typist.type(PROMPTS["p"], bait.login)
            while typist.type(PROMPTS["s"], bait.login):
                pass
            code = typist.finish()
        shown = typist.transcript.getvalue() + (output.read_bytes() if output else b"")
        assert code != ExitCode.OK
        # The report for people leaves Ansible's own warnings to the log.
        said = shown + b"".join(log.read_bytes() for log in bait.home.rglob("*.log"))
        assert b"sudo: not" in said, shown.decode()
        assert MASK.encode() in said
        assert found_in_bytes(shown) == ""
        assert bait.left_behind(user) == []
        assert watch.found == []


def test_a_wizard_that_falls_over_with_a_password_in_its_hands(bait: Bait) -> None:
    with host(bait) as (user, server):
        known = bait.home / ".ssh"
        known.mkdir()
        (known / "known_hosts").write_text(server.known_hosts_line())
        lab = lab_of(bait, server.spec("bull1", user=user.name, identity_file=""))
        with Watch() as watch:
            typist = Typist((*PROGRAM, "--lab", str(lab)), CANARY_CRASH="1")
            typist.process.expect("Kept in memory only")
            typist.process.send(bait.login)
            typist.process.expect("•".encode() * 20)
            typist.process.send("\r")
            code = typist.finish()
        assert code == ExitCode.INTERNAL
        shown = typist.transcript.getvalue()
        assert b"falls over while an answer is given" in shown
        assert found_in_bytes(shown) == ""
        assert bait.left_behind(user) == []
        assert watch.found == []


class Camera:
    """Takes screenshots, and reads every cell of the screen."""

    def __init__(self, app: KubertApp, directory: Path) -> None:
        self._app = app
        self._directory = directory
        self.taken = 0

    def take(self) -> str:
        """Export the screen; return its text."""
        self.taken += 1
        self._app.save_screenshot(f"{self.taken:03}.svg", str(self._directory))
        text = screen_text(self._app)
        assert found_in_bytes(text.encode()) == ""
        return text


async def appears(pilot: Pilot[int], kind: type) -> None:
    await patiently(pilot, lambda: isinstance(pilot.app.screen, kind))


async def patiently(pilot: Pilot[int], true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 120
    while not true():
        assert time.monotonic() < deadline, screen_text(pilot.app)
        await pilot.pause(0.02)
    await pilot.pause()


async def type_secret(pilot: Pilot[int], camera: Camera, secret: str) -> None:
    """Type the beginning key by key, paste the rest, take a picture of each step; answer."""
    await appears(pilot, SecretForm)
    form = pilot.app.screen
    camera.take()
    for character in secret[:3]:
        await pilot.press(character)
        camera.take()
    form.query_one(Input).post_message(Paste(secret[3:]))
    await patiently(pilot, lambda: form.query_one(Input).value == secret)
    assert "•" * 20 in camera.take()
    await pilot.press("enter")
    await patiently(pilot, lambda: pilot.app.screen is not form)
    camera.take()


async def test_the_wizard(bait: Bait, monkeypatch: pytest.MonkeyPatch) -> None:
    playbook = bait.directory / "playbook.yml"
    playbook.write_text(PLAYBOOK)
    monkeypatch.setenv("CANARY_PLAYBOOK", str(playbook))
    pictures = bait.directory / "pictures"
    pictures.mkdir()
    key = make_key(bait.directory / "key", passphrase=bait.passphrase)
    with host(bait) as (user, server):
        _let_in(user, key)
        spec = server.spec("bull1", user=user.name, identity_file=str(key))
        lab = Lab(name="canary", hosts=(spec,), allow=frozenset(Permission))
        app = KubertApp(
            lab,
            lambda lab: Session(lab, stages=stages()),
            lambda _: bait.directory / "lab.yaml",
            practice=FakePractice(),
            glyphs=UNICODE,
        )
        app.animation_level = "none"
        camera = Camera(app, pictures)
        with Watch() as watch:
            async with app.run_test(size=(120, 40)) as pilot:
                await appears(pilot, HostKeyForm)
                await pilot.press("left", "enter")
                for secret in (bait.wrong, bait.passphrase, bait.wrong, bait.login):
                    await type_secret(pilot, camera, secret)
                await patiently(pilot, lambda: finished(app, "connect"))
                for stage in ("root", "playbook", "bug"):
                    app.screen.query_one(Rail).select(stage)
                    await pilot.press("a")
                    await appears(pilot, ReviewForm)
                    camera.take()
                    await pilot.press("a")
                    await patiently(
                        pilot,
                        lambda stage=stage: (  # type: ignore[misc]
                            finished(app, stage) or (app.session and app.session.ended)
                        ),
                    )
                    camera.take()
                    if isinstance(app.screen, ErrorScreen):
                        await pilot.press("escape")
                    for tab in ("g", "h", "f", "l"):
                        await pilot.press(tab)
                        await pilot.pause()
                        camera.take()
                await pilot.press("q")
        assert watch.found == []
        assert camera.taken > 30
        assert len(list(pictures.iterdir())) == camera.taken
        assert bait.left_behind(user) == []
    report = next(bait.home.rglob("bug.txt")).read_text()
    assert MASK in report
