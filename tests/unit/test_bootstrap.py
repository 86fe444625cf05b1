"""`./run` with every outside program replaced: what it installs, when, and how it gives up."""

import os
import shutil
import signal
from pathlib import Path

import pytest

from tests.support.bootstrap_bench import Bench, make_bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return make_bench(tmp_path)


@pytest.fixture
def apt(bench: Bench) -> Bench:
    """A bench on which apt-get installs the missing tools."""
    bench.program("dpkg")
    bench.program(
        "apt-get",
        r"""
echo "apt $*" | sed 's/-o DPkg[^ ]* //' >>"$LAB/calls"
[[ ! -e $LAB/apt-says ]] || { cat "$LAB/apt-says"; exit 100; }
case "$*" in *libvirt-dev*) cp "$LAB/programs/git" "$LAB/programs/pkg-config" ;; esac
""",
    )
    return bench


def test_first_start_sets_up_and_the_second_does_nothing(bench: Bench) -> None:
    code, out, err = bench.run("--auto", "a b")
    assert (code, out) == (0, "started: --auto a b\n"), err
    assert bench.calls() == ["venv", "pip ."]
    assert all(line.startswith("kubert-tui: ") for line in err.splitlines())
    assert bench.run("again") == (0, "started: again\n", "")
    assert bench.calls() == ["venv", "pip ."]


def test_starts_through_a_symlink(bench: Bench) -> None:
    link = bench.directory / "kubert"
    link.symlink_to(bench.checkout / "run")
    assert bench.run(script=link)[:2] == (0, "started: \n")


def test_changed_dependencies_are_installed_into_the_same_environment(bench: Bench) -> None:
    bench.run()
    with (bench.checkout / "pyproject.toml").open("a") as file:
        file.write("\n")
    assert bench.run()[0] == 0
    assert bench.calls() == ["venv", "pip .", "pip ."]


def test_moved_checkout_gets_a_new_environment(bench: Bench) -> None:
    bench.run()
    moved = bench.directory / "moved"
    bench.checkout.rename(moved)
    assert bench.run(script=moved / "run")[:2] == (0, "started: \n")
    assert bench.calls() == ["venv", "pip .", "venv", "pip ."]


def test_killed_set_up_begins_anew(bench: Bench) -> None:
    gate = bench.directory / "gate"
    os.mkfifo(gate)
    process = bench.start()
    # Opening the gate's other end waits until pip is at work.
    with gate.open("w"):
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=60)
    gate.unlink()
    assert bench.run()[:2] == (0, "started: \n")
    assert bench.calls() == ["venv", "pip .", "venv", "pip ."]


def test_interrupted_set_up_says_so(bench: Bench) -> None:
    gate = bench.directory / "gate"
    os.mkfifo(gate)
    process = bench.start()
    with gate.open("w"):
        os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.splitlines()[-1] == "kubert-tui: interrupted (the next start goes on)"


def test_two_starts_at_once_make_one_environment(bench: Bench) -> None:
    gate = bench.directory / "gate"
    os.mkfifo(gate)
    first = bench.start("first")
    with gate.open("w"):
        second = bench.start("second")
        assert second.stderr is not None
        assert "waiting for it" in second.stderr.readline()
        gate.unlink()
    assert first.communicate(timeout=60)[0] == "started: first\n"
    assert second.communicate(timeout=60)[0] == "started: second\n"
    assert bench.calls() == ["venv", "pip ."]


def test_missing_packages_are_installed_and_lists_fetched_only_on_failure(apt: Bench) -> None:
    apt.without("gcc", "make")
    assert apt.run()[0] == 0
    installs = [call for call in apt.calls() if call.startswith("apt")]
    assert installs[0] == "apt install -y --no-install-recommends gcc libc6-dev"
    assert installs[1].startswith("apt install -y --no-install-recommends make")
    assert "apt update" not in installs
    (apt.directory / "apt-says").write_text("E: Unable to locate package gcc")
    shutil.rmtree(apt.checkout / ".venv")
    assert apt.run()[0] == 4
    assert "apt update" in apt.calls()


def test_nothing_is_installed_when_nothing_is_missing(apt: Bench) -> None:
    assert apt.run()[0] == 0
    assert apt.calls() == ["venv", "pip ."]


REFUSALS = [
    ("mirror", 4, "missing: gcc libc6-dev; the package mirror cannot be reached"),
    ("broken", 7, "missing: gcc libc6-dev; the package manager failed"),
    ("sudo", 5, "missing: gcc libc6-dev; installing them needs root or sudo"),
]


@pytest.mark.parametrize(("case", "status", "line"), REFUSALS)
def test_no_compiler_and_no_way_to_get_one(apt: Bench, case: str, status: int, line: str) -> None:
    apt.without("gcc")
    if case == "sudo":
        apt.program("id", "echo 1000")
        apt.program("sudo", "exit 1")
    says = "E: Could not resolve 'deb'" if case == "mirror" else "dpkg was interrupted"
    (apt.directory / "apt-says").write_text(says)
    code, out, err = apt.run()
    assert (code, out) == (status, "")
    assert err.splitlines()[-1].startswith(f"kubert-tui: {line}")
    assert not any(call.startswith("pip") for call in apt.calls())


def test_other_distributions_go_on_if_everything_is_there(bench: Bench) -> None:
    bench.without("make")
    code, _, err = bench.run()
    assert code == 0
    assert "going on without make" in err
    assert "neither Debian nor Fedora" in err
    shutil.rmtree(bench.checkout / ".venv")
    bench.without("gcc")
    code, _, err = bench.run()
    assert code == 7
    assert "missing: gcc; this is neither Debian nor Fedora" in err


def test_python_too_old(bench: Bench) -> None:
    (bench.directory / "version").write_text("3.9.2")
    code, _, err = bench.run()
    assert code == 7
    assert "neither Debian nor Fedora" in err
    apt = bench.directory / "calls"
    assert not apt.exists()


def test_python_too_old_even_after_installing(apt: Bench) -> None:
    (apt.directory / "version").write_text("3.9.2")
    code, _, err = apt.run()
    assert code == 7
    assert "Python 3.11 or newer is needed; this system has Python 3.9.2" in err.splitlines()[-1]


@pytest.mark.parametrize(
    ("says", "status", "line"),
    [
        ("NewConnectionError(...)", 4, "the Python package index cannot be reached"),
        ("[Errno 28] No space left on device", 1, "the disk is full"),
        ("error: command 'gcc' failed", 7, "libvirt-python could not be built"),
        ("ResolutionImpossible", 1, "pip failed"),
    ],
)
def test_pip_failures_are_one_line_and_tried_again(
    bench: Bench, says: str, status: int, line: str
) -> None:
    (bench.directory / "pip-says").write_text(says)
    code, out, err = bench.run()
    assert (code, out) == (status, "")
    assert err.splitlines()[-1].startswith(f"kubert-tui: {line}")
    assert says in (bench.checkout / ".venv" / "setup.log").read_text()
    (bench.directory / "pip-says").unlink()
    assert bench.run()[0] == 0
