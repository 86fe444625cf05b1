"""The order of sources, what is refused, and the cache; programs and downloads are scripted."""

import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Event as Flag

import pytest

from kubert_tui.base.download import download, sha256_of
from kubert_tui.base.errors import CancelledError, KubertError, ToolMissingError, UsageError
from kubert_tui.lab.model import RtTestsSpec
from kubert_tui.rt_tests import distribution, upstream, versions
from kubert_tui.rt_tests.means import Means
from kubert_tui.rt_tests.processes import OnLine
from kubert_tui.rt_tests.source import Source, obtain


class World:
    """A network and programs that do what a test says, and remember what was asked."""

    def __init__(self) -> None:
        self.archive: bytes | None = None
        self.package: tuple[str, bytes] | None = None
        self.downloads: list[str] = []
        self.commands: list[tuple[str, ...]] = []
        self.lines: list[str] = []

    def download(self, address: str, target: Path, cancel: Flag) -> None:
        self.downloads.append(address)
        if self.archive is None:
            raise KubertError(f"cannot fetch {address}: unreachable")
        target.write_bytes(self.archive)

    def run(
        self,
        argv: Sequence[str],
        *,
        directory: Path | None = None,
        environment: Mapping[str, str] | None = None,
        on_line: OnLine | None = None,
        cancel: Flag | None = None,
        timeout: float = 0,
    ) -> tuple[int, str]:
        self.commands.append(tuple(argv))
        if "indextargets" in argv:
            return 0, "https://deb.example.org/debian/|stable|main|/nowhere.list:1"
        if "source" in argv:
            if self.package is None:
                return 100, "Reading package lists...\nE: Unable to find a source package"
            assert directory is not None
            (directory / self.package[0]).write_bytes(self.package[1])
            (directory / "rt-tests_2.4-1.debian.tar.xz").write_bytes(b"packaging")
        return 0, ""

    def obtain(self, cache: Path, **wish: str) -> Source:
        cancel = Flag()
        means = Means(self.lines.append, cancel, self.run, self.download)
        spec = RtTestsSpec.model_validate(wish)
        return obtain(spec, cache, self.lines.append, cancel, means=means)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(distribution, "family", lambda: "apt")
    return World()


def _pin(monkeypatch: pytest.MonkeyPatch, content: bytes, tmp_path: Path) -> None:
    """Make `content` the archive that the default release is pinned to."""
    sample = tmp_path / "sample"
    sample.write_bytes(content)
    table = versions._table()
    first = table.releases[0].model_copy(update={"sha256": sha256_of(sample)})
    changed = table.model_copy(update={"releases": (first, *table.releases[1:])})
    monkeypatch.setattr(versions, "_table", lambda: changed)


def test_upstream_comes_first(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _pin(monkeypatch, b"archive", tmp_path)
    world.archive = b"archive"
    source = world.obtain(tmp_path / "cache")
    assert source.version == "2.10"
    assert source.tried == ()
    assert source.archive is not None
    assert source.archive.read_bytes() == b"archive"
    assert world.commands == []


def test_a_second_call_asks_nobody(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _pin(monkeypatch, b"archive", tmp_path)
    world.archive = b"archive"
    first = world.obtain(tmp_path / "cache")
    again = World()
    assert again.obtain(tmp_path / "cache").archive == first.archive
    assert again.downloads == []
    assert again.commands == []


def test_a_damaged_cache_is_fetched_again(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _pin(monkeypatch, b"archive", tmp_path)
    world.archive = b"archive"
    archive = world.obtain(tmp_path / "cache").archive
    assert archive is not None
    archive.write_bytes(b"garbage")
    repaired = world.obtain(tmp_path / "cache")
    assert repaired.archive is not None
    assert repaired.archive.read_bytes() == b"archive"
    assert len(world.downloads) == 2


def test_a_wrong_checksum_is_refused_and_leaves_nothing(world: World, tmp_path: Path) -> None:
    world.archive = b"something else"
    with pytest.raises(KubertError, match="refused"):
        world.obtain(tmp_path / "cache", source="upstream")
    assert not (tmp_path / "cache" / "sources").exists()
    assert not list((tmp_path / "cache").glob(".work.*"))


def test_without_upstream_the_source_package_is_taken(world: World, tmp_path: Path) -> None:
    world.package = ("rt-tests_2.4.orig.tar.xz", b"package")
    source = world.obtain(tmp_path / "cache")
    assert source.version == "2.4"
    assert source.archive is not None
    assert source.archive.read_bytes() == b"package"
    assert len(source.tried) == 1
    assert "unreachable" in source.tried[0]
    assert any("unreachable" in line for line in world.lines)


def test_the_last_resort_is_the_binary_with_both_reasons(world: World, tmp_path: Path) -> None:
    source = world.obtain(tmp_path / "cache")
    assert source.archive is None
    assert source.binary_package == "rt-tests"
    assert [one.partition(":")[0] for one in source.tried] == ["upstream", "distribution-source"]
    assert "Unable to find a source package" in source.tried[1]


def test_on_fedora_the_binary_has_another_name(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distribution, "family", lambda: "dnf")
    assert world.obtain(tmp_path, source="distribution").binary_package == "realtime-tests"


def test_a_named_version_is_never_replaced_by_another(world: World, tmp_path: Path) -> None:
    world.package = ("rt-tests_2.4.orig.tar.xz", b"package")
    with pytest.raises(ToolMissingError) as caught:
        world.obtain(tmp_path / "cache", version="1.0")
    assert "it is 2.4, not 1.0" in caught.value.details


def test_an_unpinned_ref_is_refused_without_asking_anybody(world: World, tmp_path: Path) -> None:
    world.archive = b"anything"
    with pytest.raises(KubertError, match="refused"):
        world.obtain(tmp_path, version="stable/v1.0", source="upstream")
    assert world.downloads == []
    assert world.commands == []


def test_an_unknown_version_is_a_usage_error(world: World, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        world.obtain(tmp_path, version="7.7")


def test_cancel_is_not_taken_for_a_place_without_source(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cancelled(address: str, target: Path, cancel: Flag) -> None:
        raise CancelledError("cancelled")

    monkeypatch.setattr(world, "download", cancelled)
    with pytest.raises(CancelledError):
        world.obtain(tmp_path)
    assert world.commands == []


def _tree(root: Path) -> Path:
    (root / "src" / "cyclictest").mkdir(parents=True)
    (root / "Makefile").write_text("VERSION = 3.1\nall:\n")
    (root / "src" / "cyclictest" / "cyclictest.c").write_text("int main;\n")
    (root / ".git").mkdir()
    (root / ".git" / "config").write_text("private")
    (root / "old.o").write_text("object")
    return root


def test_the_users_directory_goes_before_everything(world: World, tmp_path: Path) -> None:
    tree = _tree(tmp_path / "tree")
    source = world.obtain(tmp_path / "cache", directory=str(tree), version="not-listed")
    assert source.version == "3.1"
    assert source.archive is not None
    with tarfile.open(source.archive) as archive:
        names = archive.getnames()
    assert "rt-tests-3.1/src/cyclictest/cyclictest.c" in names
    assert not any(".git" in name or name.endswith(".o") for name in names)
    assert world.obtain(tmp_path / "cache", directory=str(tree)).sha256 == source.sha256
    (tree / "src" / "cyclictest" / "cyclictest.c").write_text("int other;\n")
    assert world.obtain(tmp_path / "cache", directory=str(tree)).sha256 != source.sha256


def test_a_directory_without_rt_tests_is_refused(world: World, tmp_path: Path) -> None:
    with pytest.raises(KubertError, match="not an rt-tests source tree"):
        world.obtain(tmp_path / "cache", directory=str(tmp_path))


def test_downloads_are_https_only(tmp_path: Path) -> None:
    with pytest.raises(KubertError, match="not https"):
        download("file:///etc/passwd", tmp_path / "x", Flag())


def test_git_is_asked_for_one_ref_and_its_commit_must_match(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = versions.Release(
        version="1.0",
        upstream="https://example.org/x.git",
        ref="v1.0",
        commit="a" * 40,
        archive="",
        sha256="",
        verified="a test",
        known_to_fail=(),
        help="",
    )
    command = upstream.clone_command(release, tmp_path / "tree")
    assert command[-4:] == ("--branch", "v1.0", release.upstream, str(tmp_path / "tree"))
    monkeypatch.setattr(upstream, "tool", lambda _: True)
    means = Means(world.lines.append, Flag(), world.run, world.download)
    with pytest.raises(KubertError, match="not at the pinned"):
        upstream.fetch(release, tmp_path, means)


def test_apt_works_in_its_own_tree_only(world: World, tmp_path: Path) -> None:
    world.package = ("rt-tests_2.4.orig.tar.xz", b"package")
    world.obtain(tmp_path / "cache", source="distribution-source")
    update = next(one for one in world.commands if "update" in one)
    lists = next(part for part in update if part.startswith("Dir::State::lists="))
    assert str(tmp_path / "cache") in lists
    assert "APT::Get::AllowUnauthenticated=false" in update


def test_the_deb_src_list_keeps_each_sources_key(tmp_path: Path) -> None:
    modern = tmp_path / "debian.sources"
    modern.write_text(
        "# a comment\nTypes: deb\nURIs: http://deb.example.org/debian\nSuites: stable\n"
        "Components: main\nSigned-By: /keys/debian.gpg\n\n"
        "Types: deb\nURIs: https://other.example.org\nSuites: x\nComponents: main\n"
        "Signed-By:\n -----BEGIN-----\n .\n abc\n -----END-----\n"
    )
    old = tmp_path / "old.list"
    old.write_text("deb [arch=amd64 signed-by=/keys/old.asc] https://old.example.org y main\n")
    text = distribution.source_list(
        [
            f"http://deb.example.org/debian/|stable|main|{modern}:1",
            f"http://deb.example.org/debian/|stable|main|{modern}:1",
            f"https://other.example.org/|x|main|{modern}:2",
            f"https://old.example.org/|y|main|{old}:1",
            f"https://flat.example.org/|./||{old}:2",
            "file:/media/|z|main|/nowhere:1",
        ]
    )
    stanzas = text.split("\n\n")
    assert len(stanzas) == 3
    assert "Signed-By: /keys/debian.gpg" in stanzas[0]
    assert "Signed-By: /keys/old.asc" in stanzas[1]
    assert "Signed-By: \n -----BEGIN-----\n .\n abc\n -----END-----" in stanzas[2]


def test_the_dnf_command() -> None:
    command = distribution.dnf_command("realtime-tests", Path("/x"))
    assert command == (
        *("dnf", "--quiet", "download", "--source"),
        *("--destdir", "/x", "realtime-tests"),
    )
