"""Building once, in the cache, whole or not at all; the recipe is a stand-in of ours."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from threading import Event as Flag
from threading import Thread

import pytest

from kubert_tui.base.errors import CancelledError, KubertError, ToolMissingError
from kubert_tui.rt_tests import build, distribution
from kubert_tui.rt_tests.build import build_here, cached_cyclictests
from kubert_tui.rt_tests.source import Source

_GOOD = """echo "building $3"
mkdir -p "$2/bin" && printf '#!/bin/sh\\n' > "$2/bin/cyclictest" && chmod +x "$2/bin/cyclictest"
echo run >> "$(dirname "$1")/runs"
"""


@pytest.fixture(autouse=True)
def tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "tool", lambda _: True)


def _source(tmp_path: Path) -> Source:
    archive = tmp_path / "archive.tar.gz"
    archive.write_bytes(b"archive")
    return Source(archive, "2.10", "a test", "1" * 64)


def _recipe(tmp_path: Path, text: str) -> Path:
    recipe = tmp_path / "recipe.sh"
    recipe.write_text(text)
    return recipe


def test_builds_once_and_says_what_it_does(tmp_path: Path) -> None:
    source, recipe, lines = _source(tmp_path), _recipe(tmp_path, _GOOD), list[str]()
    program = build_here(source, tmp_path / "c", lines.append, Flag(), recipe=recipe)
    assert os.access(program, os.X_OK)
    assert lines == ["building 2.10"]
    assert build_here(source, tmp_path / "c", lines.append, Flag(), recipe=recipe) == program
    assert (tmp_path / "runs").read_text() == "run\n"
    assert cached_cyclictests(tmp_path / "c") == (program,)


def test_another_recipe_is_another_build(tmp_path: Path) -> None:
    source = _source(tmp_path)
    first = build_here(source, tmp_path / "c", print, Flag(), recipe=_recipe(tmp_path, _GOOD))
    second = build_here(
        source, tmp_path / "c", print, Flag(), recipe=_recipe(tmp_path, _GOOD + "# changed\n")
    )
    assert first != second
    os.utime(first, (1, 1))
    assert cached_cyclictests(tmp_path / "c") == (second, first)


def test_status_3_names_the_packages(tmp_path: Path) -> None:
    recipe = _recipe(tmp_path, "echo 'numa.h is missing'; exit 3\n")
    with pytest.raises(ToolMissingError, match=r"numa\.h is missing") as caught:
        build_here(_source(tmp_path), tmp_path / "c", print, Flag(), recipe=recipe)
    assert "gcc" in caught.value.fix


def test_a_failure_shows_the_last_lines_and_leaves_nothing(tmp_path: Path) -> None:
    recipe = _recipe(tmp_path, 'mkdir -p "$2/bin"; echo "redefinition of sched_attr"; exit 2\n')
    with pytest.raises(KubertError) as caught:
        build_here(_source(tmp_path), tmp_path / "c", print, Flag(), recipe=recipe)
    assert "redefinition of sched_attr" in caught.value.details
    assert cached_cyclictests(tmp_path / "c") == ()
    assert not list((tmp_path / "c").glob(".work.*"))


def test_a_recipe_that_claims_success_without_a_program_failed(tmp_path: Path) -> None:
    with pytest.raises(KubertError, match="does not build"):
        build_here(
            _source(tmp_path), tmp_path / "c", print, Flag(), recipe=_recipe(tmp_path, "exit 0\n")
        )


def test_cancel_ends_the_whole_group_and_the_next_build_works(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    os.mkfifo(pid_file)
    recipe = _recipe(tmp_path, f"sleep 1000 & echo $! > {pid_file}; wait\n")
    cancel, errors = Flag(), list[BaseException]()

    def work() -> None:
        try:
            build_here(_source(tmp_path), tmp_path / "c", print, cancel, recipe=recipe)
        except BaseException as error:
            errors.append(error)

    thread = Thread(target=work)
    thread.start()
    child = int(pid_file.read_text())  # the fifo blocks until the child runs
    cancel.set()
    thread.join()
    assert isinstance(errors[0], CancelledError)
    assert _ended(child)
    good = _recipe(tmp_path, _GOOD)
    assert build_here(_source(tmp_path), tmp_path / "c", print, Flag(), recipe=good).is_file()


def _ended(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


def test_without_a_compiler_the_packages_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissingError, match="gcc, make, tar"):
        build_here(
            _source(tmp_path), tmp_path / "c", print, Flag(), recipe=_recipe(tmp_path, _GOOD)
        )


def test_without_source_the_installed_one_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "cyclictest"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    source = Source(None, "", "x", "", (), "rt-tests")
    assert build_here(source, tmp_path / "c", print, Flag()) == program


def test_nothing_installed_and_no_package_to_fetch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    monkeypatch.setattr(distribution, "family", lambda: "dnf")
    commands = []

    def refuse(argv: Sequence[str], **_: object) -> tuple[int, str]:
        commands.append(tuple(argv))
        return 1, "Error: no network"

    source = Source(None, "", "x", "", (), "realtime-tests")
    with pytest.raises(KubertError, match="dnf ended with status 1: Error: no network"):
        build_here(source, tmp_path, print, Flag(), runner=refuse)
    assert commands == [("dnf", "--quiet", "download", "realtime-tests")]
    assert not list(tmp_path.glob(".work.*"))
