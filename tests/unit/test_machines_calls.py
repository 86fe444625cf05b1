"""What libvirt's errors are told as, and how far a machine is defined when elements are refused."""

import libvirt
import pytest

from kubert_tui.base.errors import (
    AuthenticationError,
    HostKeyError,
    KubertError,
    ToolMissingError,
    UnreachableError,
)
from kubert_tui.machines import ensure
from kubert_tui.machines.calls import RefusedError, explained
from kubert_tui.machines.hypervisor import Hypervisor, open_hypervisor
from kubert_tui.machines.xml import parse
from tests.support.machine_cases import case

RPC, QEMU = libvirt.VIR_FROM_RPC, libvirt.VIR_FROM_QEMU
SOCKET = "Failed to connect socket to '/run/libvirt/libvirt-sock'"


def error(words: str, domain: int, code: int = libvirt.VIR_ERR_INTERNAL_ERROR) -> Exception:
    libvirt.virResetLastError()  # of other tests: it would take the words' place
    made = libvirt.libvirtError(words)
    made.err = (code, domain, words, 2, None, None, None, -1, -1)
    return made  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("words", "domain", "kind"),
    [
        ("Cannot recv data: Host key verification failed.: Connection reset", RPC, HostKeyError),
        ("Cannot recv data: root@a: Permission denied (publickey).", RPC, AuthenticationError),
        (f"{SOCKET}: Permission denied", RPC, AuthenticationError),
        ("authentication unavailable: no polkit agent", RPC, AuthenticationError),
        (f"{SOCKET}: No such file or directory", RPC, ToolMissingError),
        ("Cannot recv data: sh: 1: nc: command not found", RPC, ToolMissingError),
        ("ssh: connect to host a port 22: Connection refused", RPC, UnreachableError),
        ("ssh: connect to host a port 22: Connection timed out", RPC, UnreachableError),
        ("End of file while reading data: Broken pipe: Input/output error", RPC, UnreachableError),
        ("internal error: client socket is closed", RPC, UnreachableError),
        ("Timed out during operation: cannot acquire state change lock", QEMU, RefusedError),
        ("\x1b[31mno\x1b[0m such thing", QEMU, RefusedError),
    ],
)
def test_errors_say_what_where_and_what_to_do(
    words: str, domain: int, kind: type[KubertError]
) -> None:
    told = explained(error(words, domain), "bull1", "starting one")
    assert type(told) is kind
    assert told.host == "bull1"
    assert told.what.startswith("starting one failed")
    assert "\x1b" not in str(told) + told.details
    assert told.fix or kind is RefusedError


def test_no_libvirt_here(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ToolMissingError, match="libvirt does not run there") as caught:
        open_hypervisor("bull1", "qemu+unix:///system?socket=/nonexistent/libvirt-sock")
    assert "systemctl" in caught.value.fix
    assert capfd.readouterr() == ("", "")


def test_domains_of_others_are_not_ours(capfd: pytest.CaptureFixture[str]) -> None:
    with open_hypervisor("here", "test:///default") as hypervisor:
        (only,) = hypervisor.domains()
        assert only.origin is None
        assert only.on
        assert hypervisor.domain("none") is None
        with pytest.raises(KubertError, match="there is no machine none"):
            hypervisor.start("none")
        with pytest.raises(RefusedError, match="defining a machine failed"):
            hypervisor.define("<domain/>")
        hypervisor.cut_power("none")
        hypervisor.undefine("none")
    hypervisor.close()
    assert capfd.readouterr() == ("", "")


class Refusing(Hypervisor):
    """Starts nothing with certain elements in it, complaining about one at a time."""

    def __init__(self, refused: dict[str, str]) -> None:
        super().__init__("bull1", None)
        self.refused = refused
        self.defined = ""
        self.starts = 0

    def define(self, xml: str) -> None:
        self.defined = xml

    def start(self, name: str) -> None:
        self.starts += 1
        domain = parse(self.defined)
        for path, words in self.refused.items():
            if domain.find(path) is not None:
                raise RefusedError("starting failed", host=self.host, details=words)


def test_refused_elements_are_left_out_one_by_one() -> None:
    hypervisor = Refusing(
        {
            "memoryBacking/locked": "cannot limit locked memory: Operation not permitted",
            "cputune/vcpusched": "Cannot set scheduler parameters: Operation not permitted",
        }
    )
    made = ensure._start(hypervisor, case(), "seed")
    assert {one.name: one.refused for one in made.left_out} == {"locked": True, "vcpusched": True}
    assert hypervisor.starts == 3
    assert hypervisor.defined == made.xml


def test_a_complaint_about_something_else_is_an_error() -> None:
    hypervisor = Refusing({"devices": "Cannot access storage file: Permission denied"})
    with pytest.raises(RefusedError):
        ensure._start(hypervisor, case(), "seed")
    assert hypervisor.starts == 1


def test_an_element_that_is_blamed_though_absent_ends_it() -> None:
    hypervisor = Refusing({"devices": "cannot limit locked memory: Operation not permitted"})
    with pytest.raises(RefusedError):
        ensure._start(hypervisor, case(), "seed")
    assert hypervisor.starts == 2
