"""rt-tests.yml with a real ansible-playbook, into a prefix of the test's own."""

import os
import shutil
import subprocess
import tarfile
from pathlib import Path
from threading import Event as Flag

import pytest

from kubert_tui.base.errors import KubertError
from kubert_tui.lab.model import RtTestsSpec
from kubert_tui.rt_tests.build import RECIPE
from kubert_tui.rt_tests.source import obtain
from tests.support.playground import PLAYBOOKS, Playground, make_playground, plain

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="the playbooks become root"),
]


@pytest.fixture
def playground(tmp_path: Path) -> Playground:
    return make_playground(tmp_path)


# What a build is made of, without the minute that the real one takes.
MAKEFILE = """\
all: cyclictest
cyclictest:
\tprintf '#!/bin/sh\\necho cyclictest V 2.10\\n' > cyclictest
\tchmod 755 cyclictest
"""
BUILD = """\
#!/bin/sh
set -eu
mkdir tree
tar -xf "$1" -C tree
make -C tree all
mkdir -p "$2/bin"
cp tree/cyclictest "$2/bin/cyclictest"
echo "$3" >> "$2/builds"
"""


def rt_tests(directory: Path, version: str = "2.10") -> dict[str, object]:
    makefile, archive, build = (
        directory / name for name in ("Makefile", "rt-tests.tar.gz", "build.sh")
    )
    makefile.write_text(MAKEFILE)
    build.write_text(BUILD)
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(makefile, "Makefile")
    return {
        "rt_tests_archive": str(archive),
        "rt_tests_version": version,
        "rt_tests_prefix": str(directory / "prefix"),
        "rt_tests_work_directory": str(directory / "work"),
        "rt_tests_build_script": str(build),
    }


def builds(directory: Path) -> list[str]:
    path = directory / "prefix" / "builds"
    return path.read_text().split() if path.exists() else []


builds_here = pytest.mark.skipif(
    not Path("/usr/include/numa.h").exists() or not shutil.which("gcc"),
    reason="the playbook would install a compiler on this machine",
)


@builds_here
@pytest.mark.network
def test_the_real_rt_tests_are_built_from_a_real_archive(playground: Playground) -> None:
    try:
        source = obtain(RtTestsSpec(), playground.directory / "cache", lambda _line: None, Flag())
    except KubertError as error:
        pytest.skip(f"no source to be had: {error}")
    if source.archive is None:
        pytest.skip(f"no source to be had: {'; '.join(source.tried)}")
    prefix = playground.directory / "prefix"
    variables = {
        "rt_tests_archive": str(source.archive),
        "rt_tests_version": source.version,
        "rt_tests_sha256": source.sha256,
        "rt_tests_prefix": str(prefix),
        "rt_tests_work_directory": str(playground.directory / "work"),
        "rt_tests_build_script": str(RECIPE),
    }
    first = playground.play(PLAYBOOKS / "rt-tests.yml", variables)
    assert first.status == 0, first.text
    program = prefix / "bin" / "cyclictest"
    told = subprocess.run([program, "--help"], capture_output=True, text=True, check=False)
    assert "cyclictest V" in told.stdout + told.stderr
    second = playground.play(PLAYBOOKS / "rt-tests.yml", variables)
    assert (second.status, second.changed) == (0, 0), second.text


@builds_here
@pytest.mark.long
def test_rt_tests_are_built_once_per_version(playground: Playground) -> None:
    variables = rt_tests(playground.directory)
    first = playground.play(PLAYBOOKS / "rt-tests.yml", variables)
    assert first.status == 0, first.text
    assert first.changed > 0
    assert builds(playground.directory) == ["2.10"]
    assert not (playground.directory / "work").exists()

    # What loads the host is there as well: nothing is to be done.
    load = {"kubert_load_packages": ["stress-ng"] if shutil.which("stress-ng") else []}
    second = playground.play(PLAYBOOKS / "rt-tests.yml", {**variables, **load})
    assert (second.status, second.changed) == (0, 0), second.text
    assert builds(playground.directory) == ["2.10"]

    other = playground.play(
        PLAYBOOKS / "rt-tests.yml", rt_tests(playground.directory, version="1.0")
    )
    assert other.status == 0, other.text
    assert builds(playground.directory) == ["2.10", "1.0"]


@builds_here
def test_the_preview_of_rt_tests_writes_nothing(playground: Playground) -> None:
    variables = rt_tests(playground.directory)
    before = sorted(playground.directory.rglob("*"))
    ended = playground.play(PLAYBOOKS / "rt-tests.yml", variables, check=True)
    assert ended.status == 0, ended.text
    assert ended.changed > 0
    after = sorted(playground.directory.rglob("*"))
    assert [path for path in after if path.name != "inventory.yml"] == before


@builds_here
def test_a_build_that_fails_says_so_and_is_tidied_up(playground: Playground) -> None:
    variables = rt_tests(playground.directory)
    (playground.directory / "build.sh").write_text("echo no compiler here >&2\nexit 3\n")
    ended = playground.play(PLAYBOOKS / "rt-tests.yml", variables)
    assert ended.status != 0
    assert "no compiler here" in ended.text
    assert not (playground.directory / "work").exists()
    assert not (playground.directory / "prefix" / "share").exists()


def test_rt_tests_without_a_source_names_what_is_missing(playground: Playground) -> None:
    ended = playground.play(PLAYBOOKS / "rt-tests.yml", {"rt_tests_version": "2.10"})
    assert ended.status != 0
    assert "rt_tests_package to install the distribution's" in plain(ended.text)
