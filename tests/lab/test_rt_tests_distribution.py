"""The distribution's own tools, really run: apt in a tree of ours, an installed cyclictest."""

import shutil
import subprocess
from pathlib import Path
from threading import Event as Flag

import pytest

from kubert_tui.base.errors import KubertError
from kubert_tui.lab.model import RtTestsSpec
from kubert_tui.rt_tests import distribution
from kubert_tui.rt_tests.build import build_here, cached_cyclictests
from kubert_tui.rt_tests.means import Means
from kubert_tui.rt_tests.source import Source, obtain
from kubert_tui.rt_tests.unpacked import unpack

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(distribution.family() != "apt", reason="needs apt-get"),
]


def _listing(directory: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in directory.iterdir()}


@pytest.mark.network
def test_apt_brings_a_source_package_and_leaves_the_system_alone(tmp_path: Path) -> None:
    """A small package stands in: mirrors need not carry the source of rt-tests."""
    system = Path("/var/lib/apt/lists")
    before = _listing(system)
    lines = list[str]()
    archive, version, origin = distribution.fetch(
        tmp_path, Means(lines.append, Flag()), package="hello"
    )
    assert archive.name.startswith(f"hello_{version}.orig.tar.")
    assert archive.stat().st_size > 10_000
    assert "hello" in origin
    assert _listing(system) == before
    assert any("InRelease" in line for line in lines)


@pytest.mark.network
def test_a_package_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(KubertError, match="no-such-package-at-all"):
        distribution.fetch(tmp_path, Means(print, Flag()), package="no-such-package-at-all")


def test_without_a_network_every_reason_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    lines = list[str]()
    source = obtain(RtTestsSpec(), tmp_path / "cache", lines.append, Flag())
    assert source.archive is None
    assert source.binary_package == "rt-tests"
    assert [one.partition(":")[0] for one in source.tried] == ["upstream", "distribution-source"]
    assert not (tmp_path / "cache" / "sources").exists()
    assert not list((tmp_path / "cache").glob(".work.*"))


@pytest.mark.skipif(shutil.which("cyclictest") is None, reason="needs an installed cyclictest")
def test_the_installed_cyclictest_is_found_and_runs(tmp_path: Path) -> None:
    binary = Source(None, "", "the distribution's package", "", (), "rt-tests")
    program = build_here(binary, tmp_path, print, Flag())
    answer = subprocess.run([program, "--help"], capture_output=True, text=True, check=False)
    assert "cyclictest V " in answer.stdout + answer.stderr


@pytest.mark.network
def test_the_package_is_unpacked_into_the_cache_once(tmp_path: Path) -> None:
    lines = list[str]()
    means = Means(lines.append, Flag())
    program = unpack("rt-tests", tmp_path, means)
    assert program.is_relative_to(tmp_path)
    assert cached_cyclictests(tmp_path) == (program,)
    answer = subprocess.run([program, "--help"], capture_output=True, text=True, check=False)
    assert "cyclictest V " in answer.stdout + answer.stderr
    lines.clear()
    assert unpack("rt-tests", tmp_path, means) == program
    assert not lines


@pytest.mark.network
def test_where_nobody_has_fetched_lists_there_are_lists_of_our_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = tmp_path / "lists"
    (system / "partial").mkdir(parents=True)
    (tmp_path / "apt.conf").write_text(f'Dir::State::lists "{system}";\n')
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
    program = unpack("rt-tests", tmp_path / "cache", Means(print, Flag()))
    assert cached_cyclictests(tmp_path / "cache") == (program,)
    (tmp_path / "work").mkdir()
    archive, _, _ = distribution.fetch(tmp_path / "work", Means(print, Flag()), package="hello")
    assert archive.name.startswith("hello_")
    assert not list((system / "partial").iterdir())
    assert not [path for path in system.iterdir() if path.name not in ("partial", "lock")]
