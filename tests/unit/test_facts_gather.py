"""Gathering: one command per host, as root where that is allowed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kubert_tui.base.errors import AuthenticationError, ToolMissingError, UnreachableError
from kubert_tui.events.codec import to_plain
from kubert_tui.facts.fact import Known, Unknown
from kubert_tui.facts.gather import gather, probe_script
from kubert_tui.hosts.interface import Completed, Invocation
from tests.support.fact_samples import HPE, NONCE, NOW, facts_of, probe_output


class FakeHost:
    """A host that answers the probe from a function."""

    def __init__(self, answer: Callable[[Invocation], Completed]) -> None:
        self.ran: list[Invocation] = []
        self._answer = answer

    @property
    def name(self) -> str:
        return "alpha"

    @property
    def is_local(self) -> bool:
        return False

    def run(self, invocation: Invocation) -> Completed:
        self.ran.append(invocation)
        return self._answer(invocation)

    def put(self, data: bytes | Path, path: str, *, mode: int = 0o600, sudo: bool = False) -> None:
        raise AssertionError("facts write nothing")

    def get(self, path: str, *, sudo: bool = False) -> bytes:
        raise AssertionError("facts take one command")

    def close(self) -> None:
        pass


def as_hpe(invocation: Invocation) -> Completed:
    nonce = invocation.stdin.split(b"\n", 1)[0].removeprefix(b"nonce=")
    output = probe_output(HPE).replace(NONCE.encode(), nonce)
    return Completed(tuple(invocation.argv), 0, output)


def clock() -> Callable[[], float]:
    times = iter([NOW, NOW + 2.0, NOW + 3.0, NOW + 4.0])
    return lambda: next(times)


def test_one_command_as_root_gives_all_facts() -> None:
    host = FakeHost(as_hpe)
    assert gather(host, clock=clock()) == facts_of(HPE)
    (invocation,) = host.ran
    assert tuple(invocation.argv) == ("sh", "-s")
    assert invocation.sudo
    assert invocation.timeout == 180.0
    assert invocation.stdin.endswith(probe_script())


def test_each_probe_has_a_nonce_of_its_own() -> None:
    host = FakeHost(as_hpe)
    gather(host)
    gather(host)
    first, second = (one.stdin.split(b"\n", 1)[0] for one in host.ran)
    assert first != second
    assert first.startswith(b"nonce=kubert-")


def test_our_own_cyclictest_is_passed_as_an_argument_never_in_the_script() -> None:
    host = FakeHost(as_hpe)
    gather(host, ("/cache/it's; rm/cyclictest",))
    assert tuple(host.ran[0].argv) == ("sh", "-s", "--", "/cache/it's; rm/cyclictest")
    assert b"it's" not in host.ran[0].stdin


@pytest.mark.parametrize("error", [AuthenticationError, ToolMissingError])
def test_without_sudo_the_probe_runs_once_more_unprivileged(
    error: type[AuthenticationError | ToolMissingError],
) -> None:
    def refuse_sudo(invocation: Invocation) -> Completed:
        if invocation.sudo:
            raise error("no sudo here", host="alpha")
        return as_hpe(invocation)

    host = FakeHost(refuse_sudo)
    assert gather(host).hostname == Known("alpha")
    assert [one.sudo for one in host.ran] == [True, False]


def test_a_lost_host_is_not_asked_again() -> None:
    def lose(invocation: Invocation) -> Completed:
        raise UnreachableError("connection lost", host="alpha")

    host = FakeHost(lose)
    with pytest.raises(UnreachableError):
        gather(host)
    assert len(host.ran) == 1


def test_a_probe_that_cannot_start_says_why_in_every_fact() -> None:
    host = FakeHost(lambda one: Completed(tuple(one.argv), 127, b"", b"sh: \x1b[1mnot found\n"))
    facts = gather(host)
    reason = "the probe did not get that far (exit status 127: sh: not found)"
    assert facts.hostname == facts.tools.cyclictest == Unknown(reason)
    assert [one.sudo for one in host.ran] == [True, False]


def test_facts_as_plain_data() -> None:
    data: Any = to_plain(facts_of(HPE | {"boot-id": b""}))
    assert json.loads(json.dumps(data)) == data
    assert data["host"] == "alpha"
    assert data["privileged"] == {"value": True}
    kernel = data["kernel"]
    assert isinstance(kernel, dict)
    assert kernel["boot_id"] == {"unknown": "the probe did not get that far"}
    assert kernel["installed_realtime"] == {"value": ["5.10.2-200.rt20.1.fc33.ccrma.x86_64+rt"]}
    memory = data["memory"]
    assert isinstance(memory, dict)
    assert memory["hugepages"] == {"value": {"hugepages-1048576kB": 16, "hugepages-2048kB": 0}}


def test_what_is_no_fact_is_refused() -> None:
    with pytest.raises(TypeError):
        to_plain(object())
