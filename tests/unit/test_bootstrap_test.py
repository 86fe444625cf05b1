"""`./test` with every tool replaced: everything runs, any failure counts, pytest ends it."""

import signal
from pathlib import Path

import pytest

from tests.support.bootstrap_bench import Bench, make_bench

PRACTICE = ["mmdebstrap", "systemd-nspawn", "slirp4netns", "nft", "ip", "qemu-system-x86_64"]
PRACTICE += ["qemu-img", "mke2fs", "sgdisk"]
LIBVIRT = ["libvirtd", "virsh", "xmllint", "dnsmasq", "iptables", "nc", "gpg", "gpgv", "vagrant"]
CHECKS = ["ruff", "mypy", "lint-imports", "ansible-lint", "shellcheck"]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = make_bench(tmp_path)
    for name in (*CHECKS, "pytest"):
        bench.program(name, f'echo "{name} $*" >>"$LAB/calls"; echo "{name} has spoken"')
    for name in ("sshd", "sudo", "busybox", "cyclictest", "ps"):
        bench.program(name)
    for name in (*PRACTICE, *LIBVIRT):
        bench.program(name)
    for folder in ("kubert_tui", "screens", "playbooks"):
        (bench.checkout / folder).mkdir()
    (bench.checkout / "playbooks" / "one.yml").touch()
    return bench


def run(bench: Bench, *arguments: str) -> tuple[int, str]:
    code, out, err = bench.run(*arguments, script=bench.checkout / "test")
    assert "command not found" not in err
    return code, out


def test_everything_runs_and_pytest_has_the_last_word(bench: Bench) -> None:
    code, out = run(bench)
    assert code == 0
    assert out.splitlines()[-1] == "pytest has spoken"
    assert out.count("ok      ") == 7
    assert "pip .[dev]" in bench.calls()
    assert {call.split()[0] for call in bench.calls()} >= {*CHECKS, "pytest"}


@pytest.mark.parametrize("broken", [*CHECKS, "pytest"])
def test_any_failure_counts_and_stops_nothing(bench: Bench, broken: str) -> None:
    bench.program(broken, f'echo "{broken} $*" >>"$LAB/calls"; echo "{broken} objects"; exit 1')
    code, out = run(bench)
    assert code == 1
    assert f"{broken} objects" in out
    assert out.splitlines()[-1].startswith("pytest ")
    assert {call.split()[0] for call in bench.calls()} >= {*CHECKS, "pytest"}


@pytest.mark.parametrize("arguments", [(), ("long",)])
@pytest.mark.parametrize("ends", ["virtual", "not (lab", "lab"])
def test_every_lane_counts(bench: Bench, arguments: tuple[str], ends: str) -> None:
    """Which tests run beside which is no matter: whatever fails in one of them is told."""
    bench.program(
        "pytest", f'echo "pytest $*" >>"$LAB/calls"; [[ $2 != "{ends}"* ]] || exit "$ENDS"'
    )
    for status, counts in (("0", 0), ("1", 1), ("5", 0)):
        bench.environment["ENDS"] = status
        assert run(bench, *arguments)[0] == counts
    calls = [call.split("-m ")[1] for call in bench.calls() if call.startswith("pytest")]
    profile = "" if arguments else " and not long"
    lanes = ("virtual", "not (lab or virtual)", "lab and not virtual")
    assert sorted(calls) == sorted(f"{lane}{profile}" for lane in lanes for _ in range(3))


def test_what_runs_beside_can_be_interrupted(bench: Bench) -> None:
    """A script's background ignores SIGINT, and tests of interrupts would wait for ever."""
    bench.program("pytest", 'grep SigIgn /proc/self/status >>"$LAB/ignored"')
    assert run(bench)[0] == 0
    ignored = (bench.directory / "ignored").read_text().split()[1::2]
    assert len(ignored) == 3
    assert not any(int(mask, 16) & (1 << (signal.SIGINT - 1)) for mask in ignored)


def test_long_files_are_refused(bench: Bench) -> None:
    (bench.checkout / "screens" / "fine.py").write_text("x = 1\n" * 400)
    assert run(bench)[0] == 0
    (bench.checkout / "screens" / "long.py").write_text("x = 1\n" * 401)
    code, out = run(bench)
    assert code == 1
    assert "screens/long.py has 401 lines" in out


def test_arguments_go_to_pytest_alone(bench: Bench) -> None:
    run(bench, "unit", "-k", "a b")
    run(bench, "tests/unit/test_x.py", "-x")
    calls = [call for call in bench.calls() if not call.startswith(("venv", "pip"))]
    assert calls == ["pytest tests/unit -k a b", "pytest tests/unit/test_x.py -x"]


def test_works_without_a_home(bench: Bench) -> None:
    del bench.environment["HOME"]
    bench.program("pytest", '[[ -w $HOME ]] && echo "$HOME" >"$LAB/home"')
    assert run(bench)[0] == 0
    assert not Path((bench.directory / "home").read_text().strip()).exists()


def test_a_package_that_the_mirror_lacks_costs_none_of_the_others(bench: Bench) -> None:
    bench.without("shellcheck", "slirp4netns", "mmdebstrap", "sgdisk")
    for program in ("slirp4netns", "sgdisk"):
        # Where this machine has it, too, nothing would be missing.
        script = bench.checkout / "scripts" / "bootstrap.sh"
        script.write_text(script.read_text().replace(f"have {program} ||", ""))
    bench.program("dpkg")
    bench.program(
        "apt-get",
        r"""
[[ $* != *install* ]] || echo "${*: -4}" >>"$LAB/asked"
[[ $* != *slirp4netns* ]] || { echo "E: Unable to locate package slirp4netns"; exit 100; }
""",
    )
    _, _, err = bench.run(script=bench.checkout / "test")
    asked = (bench.directory / "asked").read_text()
    assert "--no-install-recommends gdisk" in asked
    assert "going on without slirp4netns: " in err
