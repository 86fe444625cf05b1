"""known_hosts and ssh configuration with mistakes: passed over or refused, in bounded time."""

import base64
import getpass
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kubert_tui.base.errors import HostKeyError, KubertError, LabFileError, UsageError
from kubert_tui.hosts.host_keys import preferred_algorithms, verify
from kubert_tui.hosts.known_hosts import known_keys, our_file, remember
from kubert_tui.hosts.ssh_config import Endpoint, endpoint_of, parse_destination
from kubert_tui.lab.model import HostSpec
from tests.support.fuzzing import cases, check_told, harmless, mutated, mutated_bytes
from tests.support.sshd import Answers

BLOB = base64.b64decode("AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl")
OTHER = BLOB[:-1] + b"x"
KEY = f"ssh-ed25519 {base64.b64encode(BLOB).decode()}"
KNOWN = (
    f"# known hosts\nalpha,192.0.2.1 {KEY} comment\n[alpha]:2222 {KEY}\n",
    f"*.example,!a.example {KEY}\n",
    f"@revoked * {KEY}\n@cert-authority *.example {KEY}\n|1|c2FsdA==|ZGlnZXN0| {KEY}\n",
    "".join(f"host{number} {KEY}\r\n" for number in range(20)),
)
ALPHA = Endpoint(name="alpha", address="alpha")


def known_file(content: bytes) -> Path:
    path = our_file()
    path.write_bytes(content)
    return path


@cases(150)
@given(mutated_bytes([text.encode() for text in KNOWN]))
@example(b"*" * 5000 + b" " + KEY.encode() + b"\n")
@example(b"\xff\xfe " + KEY.encode())
def test_known_hosts_with_mistakes(content: bytes) -> None:
    path = known_file(content)
    for key in known_keys("alpha", [path]):
        assert key.blob
    preferred_algorithms(ALPHA, ("ssh-ed25519", "rsa-sha2-512"))
    try:
        verify(ALPHA, "ssh-ed25519", OTHER, Answers(accept_host_keys=True))
    except HostKeyError as error:
        check_told(error)
        return
    assert OTHER in [key.blob for key in known_keys("alpha", [path]) if not key.marker]
    assert content.strip() in path.read_bytes().replace(b"\r\n", b"\n") or b"\r" in content


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "pattern",
    ["*a" * 200 + "b", "?*" * 200 + "b", "*" * 10_000, "!*,*" * 500],
    ids=["letters", "questions", "stars", "negated"],
)
def test_a_pattern_takes_bounded_time(pattern: str) -> None:
    path = known_file(f"{pattern} {KEY}\n".encode())
    known_keys("a" * 250, [path])


@cases(60)
@given(mutated_bytes([text.encode() for text in KNOWN]))
def test_remembering_keeps_what_was_there(content: bytes) -> None:
    path = known_file(content)
    remember("beta", "ssh-ed25519", BLOB)
    remember("beta", "ssh-ed25519", BLOB)
    written = path.read_bytes()
    assert written.startswith(content.replace(b"\r\n", b"\n").replace(b"\r", b"\n"))
    assert written.count(b"\nbeta ") + written.startswith(b"beta ") >= 1


CONFIGS = (
    "Host alpha\n HostName 192.0.2.7\n Port 2222\n User ops\n IdentityFile ~/.ssh/lab\n",
    "Host *\n ProxyJump bastion,me@other:2200\nHost bastion\n ProxyJump none\n",
    "Host a*\n ProxyCommand ssh -W %h:%p gate\n HostKeyAlias rack-7\n IdentitiesOnly yes\n",
    "Include other\nMatch host alpha user ops\n User root\nMatch all\n Port=22\n",
)
WORDS = ("Host ", "Match ", "Include ", "ProxyJump alpha\n", "%h", "%%", "=", '"', "*", "!", "**")


@cases(150, 2000)
@given(
    mutated(CONFIGS, words=WORDS).filter(lambda text: "exec" not in text.lower()),
    st.sampled_from(["", "alpha", "me@[::1]:22"]),
)
@example("Include /\n", "")
@example("Host alpha\n ProxyJump \x1b[2J\n", "")
@example("Host alpha\n Port \x1b[2J\n", "")
def test_ssh_configurations_with_mistakes(text: str, jump: str) -> None:
    directory = Path.home() / ".ssh"
    directory.mkdir(exist_ok=True)
    (directory / "config").write_text(text, encoding="utf-8", errors="surrogateescape")
    spec = HostSpec(name="beta" if jump else "alpha", jump=jump)
    try:
        endpoint = endpoint_of(spec, {"beta": spec, "alpha": HostSpec(name="alpha")})
    except (UsageError, LabFileError) as error:
        check_told(error)
        return
    for hop in (endpoint, *endpoint.jumps):
        assert harmless(f"{hop.address}{hop.user}{hop.host_key_alias}")
        assert not hop.address.startswith("-")
        assert 0 < hop.port < 65536


@cases(150)
@given(mutated(["me@host:22", "ssh://me@[fe80::1%eth0]:22/", "host", "a,b"], words=("@", ":", "-")))
def test_destinations(text: str) -> None:
    try:
        user, address, port = parse_destination(text, "alpha")
    except KubertError as error:
        check_told(error)
        return
    assert address
    assert not address.startswith("-")
    assert 0 <= port < 65536
    assert user != getpass.getuser() or user in text
