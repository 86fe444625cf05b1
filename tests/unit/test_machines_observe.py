"""Whether a machine can be used by ssh: what its answers are taken for."""

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kubert_tui.base.errors import HostKeyError, KubertError, UnreachableError
from kubert_tui.facts.fact import Known, Unknown
from kubert_tui.facts.virtual import Libvirt, MachineSeen
from kubert_tui.hosts.interface import Completed, Host, Invocation
from kubert_tui.lab.load import parse_lab
from kubert_tui.machines import keys
from kubert_tui.machines.guest import Guest, guests_of
from kubert_tui.machines.hypervisor import Hypervisor
from kubert_tui.stages import machines_observe
from kubert_tui.stages.machines_observe import KEY_REFUSED, hindrance, observe
from tests.support.blank import blank_facts, blank_lab
from tests.support.recording import RecordingWork
from tests.unit.test_machine_orders import LAB

ONE = guests_of(LAB)[0]


@dataclass
class Answering(RecordingWork):
    """Its machines answer with this."""

    status: int = 0
    said: bytes = b""
    error: KubertError | None = None
    closed: list[str] = field(default_factory=list)

    def guest(self, guest: Guest) -> Host:
        if self.error is not None:
            raise self.error
        return self  # type: ignore[return-value]

    def run(self, invocation: Invocation) -> Completed:
        assert "cloud-init status --wait" in invocation.argv[2]
        return Completed(tuple(invocation.argv), self.status, self.said)

    def close(self) -> None:
        self.closed.append("closed")

    def hypervisor(self, name: str) -> AbstractContextManager[Hypervisor]:
        raise KubertError("libvirt does not run there", fix="start it", host=name)


@pytest.mark.parametrize(
    ("status", "said", "reason"),
    [
        (0, b"", ""),
        (3, b"", "cloud-init is still at work"),
        (4, b"status: \x1b[31merror\n", "cloud-init failed: status: error"),
        (255, b"", "asking cloud-init ended with status 255"),
    ],
)
def test_what_a_machine_answers(tmp_path: Path, status: int, said: bytes, reason: str) -> None:
    work = Answering(LAB, tmp_path, status=status, said=said)
    assert hindrance(work, ONE) == reason
    assert work.closed


def test_one_that_does_not_answer(tmp_path: Path) -> None:
    work = Answering(LAB, tmp_path, error=UnreachableError("no\x1b[31m route"))
    assert hindrance(work, ONE) == "no route"


def test_about_the_key_of_an_adopted_machine_a_person_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "hosts: [{name: bull1}]\nmachines: [{name: one}, {name: two, adopted: proj_two}]\n"
    lab = parse_lab(text, "lab.yaml")
    running = Known((MachineSeen("one", "running"), MachineSeen("two", "running")))
    monkeypatch.setattr(machines_observe, "machines_of", lambda *_: running)
    asked = list[str]()

    class Asked(Answering):
        def host(self, name: str) -> Host:
            asked.append(name)
            raise HostKeyError("its key was not accepted")

    seen = observe(Asked(lab, tmp_path), blank_facts("bull1")).libvirt
    assert isinstance(seen, Known)
    assert [one.unreachable for one in seen.value.machines] == ["", "its key was not accepted"]
    assert asked == ["two"]
    work = Answering(lab, tmp_path, error=HostKeyError("unknown"))
    assert hindrance(work, ONE).startswith(KEY_REFUSED)


def test_libvirt_is_asked_only_where_there_is_or_was_a_machine(tmp_path: Path) -> None:
    known = observe(Answering(blank_lab(), tmp_path), blank_facts("bull1"))
    assert known.libvirt == Known(Libvirt())
    asked = observe(Answering(LAB, tmp_path), blank_facts("bull1"))
    assert asked.libvirt == Unknown("libvirt does not run there (start it)")
    keys.login_key(blank_lab().name)
    was = observe(Answering(blank_lab(), tmp_path), blank_facts("bull1"))
    assert isinstance(was.libvirt, Unknown)
