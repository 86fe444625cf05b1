"""The build recipe itself, with a real compiler, on a stand-in source tree of ours."""

import subprocess
import tarfile
from pathlib import Path

import pytest

from kubert_tui.rt_tests.build import RECIPE

pytestmark = pytest.mark.lab

_MAKEFILE = """all: cyclictest hackbench
cyclictest hackbench: %: %.c
\t$(CC) -o $@ $< -lnuma
"""
_PROGRAM = """#include <numa.h>
#include <stdio.h>
int main(void) { printf("cyclictest V 9.99\\n"); return numa_available() == 42; }
"""


def _archive(directory: Path, *, program: str = _PROGRAM) -> Path:
    tree = directory / "rt-tests-9.9"
    tree.mkdir()
    (tree / "Makefile").write_text(_MAKEFILE)
    (tree / "cyclictest.c").write_text(program)
    (tree / "hackbench.c").write_text(_PROGRAM)
    archive = directory / "an archive.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(tree, tree.name)
    return archive


def _build(*arguments: object, path: str | None = None) -> subprocess.CompletedProcess[str]:
    work = Path(str(arguments[1])).parent / "work"
    work.mkdir(exist_ok=True)
    environment = {"TMPDIR": str(work), "PATH": path or "/usr/local/bin:/usr/bin:/bin"}
    done = subprocess.run(
        ["/bin/sh", RECIPE, *map(str, arguments)],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    assert not list(work.iterdir()), "the recipe left something in its work directory"
    return done


def test_builds_and_installs_the_programs(tmp_path: Path) -> None:
    prefix = tmp_path / "a prefix"
    for _ in range(2):
        done = _build(_archive_once(tmp_path), prefix, "9.9")
        assert done.returncode == 0, done.stderr
    assert {path.name for path in (prefix / "bin").iterdir()} == {"cyclictest", "hackbench"}
    shown = subprocess.run([prefix / "bin" / "cyclictest"], capture_output=True, check=True)
    assert shown.stdout == b"cyclictest V 9.99\n"


def test_what_does_not_compile_installs_no_cyclictest(tmp_path: Path) -> None:
    done = _build(_archive(tmp_path, program="int main("), tmp_path / "p", "9.9")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "build.sh: rt-tests 9.9 does not compile here"
    assert not (tmp_path / "p" / "bin" / "cyclictest").exists()


def test_a_cyclictest_that_does_not_start_is_not_installed(tmp_path: Path) -> None:
    done = _build(_archive(tmp_path, program="int main(void){return 1;}"), tmp_path / "p", "9.9")
    assert done.returncode == 1
    assert "does not start" in done.stderr
    assert not (tmp_path / "p" / "bin" / "cyclictest").exists()


def test_a_missing_compiler_is_named(tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    done = _build(_archive(tmp_path), tmp_path / "p", "9.9", path=str(tools))
    assert done.returncode == 3
    assert done.stderr.splitlines()[-1] == "build.sh: gcc is not installed"


def test_damaged_archives_are_refused(tmp_path: Path) -> None:
    archive = tmp_path / "broken.tar.gz"
    archive.write_bytes(b"not an archive")
    assert _build(archive, tmp_path / "p", "9.9").returncode == 1


def _archive_once(directory: Path) -> Path:
    archive = directory / "an archive.tar.gz"
    return archive if archive.exists() else _archive(directory)
