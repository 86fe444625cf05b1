"""known_hosts files, and the judgement about a key."""

import base64
import hmac
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest

from kubert_tui.base.errors import HostKeyError
from kubert_tui.base.paths import known_hosts
from kubert_tui.hosts.host_keys import preferred_algorithms, verify
from kubert_tui.hosts.known_hosts import fingerprint, known_keys, remember, trusted_files
from kubert_tui.hosts.ssh_config import Endpoint
from tests.support.sshd import Answers

ED = "ssh-ed25519"
OLD, NEW = b"\0\0\0\x0bssh-ed25519 old", b"\0\0\0\x0bssh-ed25519 new"
ALPHA = Endpoint(name="alpha", address="192.0.2.1", port=2222)


def text_of(blob: bytes) -> str:
    return base64.b64encode(blob).decode()


def hashed(name: str) -> str:
    salt = b"0123456789abcdefghij"
    digest = hmac.digest(salt, name.encode(), "sha1")
    return f"|1|{text_of(salt)}|{text_of(digest)}"


def write(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "known"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_fingerprint_of_openssh() -> None:
    # From `ssh-keygen -lf` of this public key.
    blob = base64.b64decode("AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl")
    assert fingerprint(blob) == "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ("[192.0.2.1]:2222", True),
        ("other,[192.0.2.1]:2222", True),
        ("[192.0.2.*]:2222", True),
        ("[192.0.2.?]:2222", True),
        ("*", True),
        ("*,![192.0.2.1]:2222", False),
        ("192.0.2.1", False),
        ("[192.0.2.1]:22", False),
        ("1", False),
        (hashed("[192.0.2.1]:2222"), True),
        (hashed("192.0.2.1"), False),
        ("|1|broken", False),
        ("|2|AAAA|AAAA", False),
        ("|1|AA=A|!!", False),
    ],
)
def test_which_lines_are_about_a_host(tmp_path: Path, names: str, found: bool) -> None:
    file = write(tmp_path, "# comment", "", f"{names} {ED} {text_of(OLD)} a comment")
    keys = known_keys(ALPHA.known_as, [file])
    assert [key.line for key in keys] == ([3] if found else [])


def test_names_ignore_case(tmp_path: Path) -> None:
    file = write(tmp_path, f"Host.Example {ED} {text_of(OLD)}")
    assert known_keys("hOST.eXAMPLE", [file])


def test_lines_that_make_no_sense_are_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "known"
    file.write_bytes(
        b"[192.0.2.1]:2222\n[192.0.2.1]:2222 ssh-rsa\n[192.0.2.1]:2222 ssh-rsa not-base64!\n"
        b"@\n\xff\xfe\x00\n@revoked\n@cert-authority * ssh-rsa AAAA\n"
        + f"[192.0.2.1]:2222 {ED} {text_of(OLD)}".encode()
    )
    keys = known_keys(ALPHA.known_as, [file, tmp_path / "absent", tmp_path])
    assert [(key.line, key.marker) for key in keys] == [(7, "@cert-authority"), (8, "")]


def test_remember_keeps_what_is_there() -> None:
    known_hosts().write_text(f"# mine\nother {ED} {text_of(NEW)}")
    remember(ALPHA.known_as, ED, OLD)
    remember(ALPHA.known_as, ED, OLD)
    assert known_hosts().read_text().splitlines() == [
        "# mine",
        f"other {ED} {text_of(NEW)}",
        f"[192.0.2.1]:2222 {ED} {text_of(OLD)}",
    ]
    assert known_hosts().stat().st_mode & 0o777 == 0o600


def test_writers_in_threads_and_processes_lose_nothing() -> None:
    program = (
        "import sys; from kubert_tui.hosts.known_hosts import remember\n"
        "for n in range(20): remember(f'{sys.argv[1]}-{n}', 'ssh-ed25519', b'key')"
    )
    processes = [subprocess.Popen([sys.executable, "-c", program, f"p{n}"]) for n in range(2)]

    def write_some(name: str) -> None:
        for number in range(20):
            remember(f"{name}-{number}", ED, b"key")

    threads = [Thread(target=write_some, args=(f"t{n}",)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [process.wait(60) for process in processes] == [0, 0]
    names = {line.split()[0] for line in known_hosts().read_text().splitlines()}
    assert names == {f"{who}-{n}" for who in ("p0", "p1", "t0", "t1") for n in range(20)}


def test_the_users_files_are_trusted_and_ours_comes_first() -> None:
    files = trusted_files()
    assert files[0] == known_hosts()
    assert Path.home() / ".ssh/known_hosts" in files


def users_file(*lines: str) -> Path:
    path = Path.home() / ".ssh" / "known_hosts"
    path.parent.mkdir()
    path.write_text("\n".join(lines) + "\n")
    return path


def test_ours_decides_when_the_users_file_is_outdated() -> None:
    users_file(f"{ALPHA.known_as} {ED} {text_of(OLD)}")
    remember(ALPHA.known_as, ED, NEW)
    answers = Answers()
    verify(ALPHA, ED, NEW, answers)
    assert answers.offers == []


def test_a_certificate_authority_is_no_host_key() -> None:
    users_file(f"@cert-authority {ALPHA.known_as} {ED} {text_of(OLD)}")
    answers = Answers(accept_host_keys=True)
    verify(ALPHA, ED, OLD, answers)
    assert len(answers.offers) == 1


def test_revoked_goes_before_known() -> None:
    remember(ALPHA.known_as, ED, OLD)
    users_file(f"@revoked * {ED} {text_of(OLD)}")
    with pytest.raises(HostKeyError, match="revoked"):
        verify(ALPHA, ED, OLD, Answers(accept_host_keys=True))


def test_a_changed_key_names_all_files_to_correct() -> None:
    users = users_file("# first", f"{ALPHA.known_as} {ED} {text_of(OLD)}")
    remember(ALPHA.known_as, ED, OLD)
    with pytest.raises(HostKeyError) as caught:
        verify(ALPHA, ED, NEW, Answers(accept_host_keys=True))
    for path in (known_hosts(), users):
        assert f"ssh-keygen -R '[192.0.2.1]:2222' -f {path}" in caught.value.fix
    assert fingerprint(OLD) in caught.value.what
    assert fingerprint(NEW) in caught.value.what


def test_algorithms_of_known_keys_come_first() -> None:
    supported = ("ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256")
    assert preferred_algorithms(ALPHA, supported) == supported
    remember(ALPHA.known_as, "ssh-rsa", b"rsa")
    assert preferred_algorithms(ALPHA, supported)[:2] == ("rsa-sha2-512", "rsa-sha2-256")
    assert set(preferred_algorithms(ALPHA, supported)) == set(supported)
