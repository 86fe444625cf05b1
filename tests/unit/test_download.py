"""Downloads from a real server that breaks off, lies, or knows nothing of ranges."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from threading import Event as Flag

import pytest

from kubert_tui.base.download import Checksum, download
from kubert_tui.base.errors import CancelledError, KubertError
from tests.support.file_server import FileServer, file_server

CONTENT = bytes(range(256)) * 8192
RIGHT = Checksum("sha256", hashlib.sha256(CONTENT).hexdigest())
HALF = len(CONTENT) // 2


@pytest.fixture
def server() -> Iterator[FileServer]:
    with file_server(CONTENT) as running:
        yield running


def fetch(
    server: FileServer, target: Path, *, path: str = "/file", checksum: Checksum | None = RIGHT
) -> list[tuple[int, int | None]]:
    seen: list[tuple[int, int | None]] = []
    download(
        f"{server.address}{path}",
        target,
        Flag(),
        checksum=checksum,
        plain_http=True,
        progress=lambda done, total: seen.append((done, total)),
    )
    return seen


def begin(server: FileServer, target: Path) -> None:
    """Have it cancelled half-way, as a kill would leave it."""
    cancel = Flag()

    def stop(done: int, _total: int | None) -> None:
        if done >= HALF:
            cancel.set()

    with pytest.raises(CancelledError):
        download(
            f"{server.address}/file",
            target,
            cancel,
            checksum=RIGHT,
            plain_http=True,
            progress=stop,
        )
    assert not target.exists()


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_a_file_comes_whole_and_nothing_else_stays(server: FileServer, tmp_path: Path) -> None:
    seen = fetch(server, tmp_path / "image")
    assert (tmp_path / "image").read_bytes() == CONTENT
    assert names(tmp_path) == ["image"]
    assert seen[0] == (0, len(CONTENT))
    assert seen[-1] == (len(CONTENT), len(CONTENT))


def test_what_broke_off_goes_on_where_it_was(server: FileServer, tmp_path: Path) -> None:
    begin(server, tmp_path / "image")
    part = (tmp_path / ".image.part").stat().st_size
    assert HALF <= part < len(CONTENT)
    seen = fetch(server, tmp_path / "image")
    assert (tmp_path / "image").read_bytes() == CONTENT
    assert server.asked[1:] == [f"/file bytes={part}-"]
    assert seen[0] == (part, len(CONTENT))
    assert names(tmp_path) == ["image"]


def test_a_connection_that_ends_early_is_made_again(server: FileServer, tmp_path: Path) -> None:
    server.cut_after = len(CONTENT) // 3
    fetch(server, tmp_path / "image")
    assert (tmp_path / "image").read_bytes() == CONTENT
    assert len(server.asked) == 4


def test_a_server_that_never_gets_further_is_given_up(server: FileServer, tmp_path: Path) -> None:
    server.cut_after, server.ranges = HALF, False
    with pytest.raises(KubertError, match=rf"/file: it ended after {HALF} of {len(CONTENT)} bytes"):
        fetch(server, tmp_path / "image")
    assert len(server.asked) == 2
    assert not (tmp_path / "image").exists()


def test_a_server_without_ranges_sends_it_all_again(server: FileServer, tmp_path: Path) -> None:
    begin(server, tmp_path / "image")
    server.ranges = False
    fetch(server, tmp_path / "image")
    assert (tmp_path / "image").read_bytes() == CONTENT


def test_another_file_by_now_is_not_appended(server: FileServer, tmp_path: Path) -> None:
    begin(server, tmp_path / "image")
    server.content, server.tag = CONTENT[::-1], '"two"'
    other = Checksum("sha256", hashlib.sha256(server.content).hexdigest())
    fetch(server, tmp_path / "image", checksum=other)
    assert (tmp_path / "image").read_bytes() == server.content
    assert len(server.asked) == 2


def test_without_a_tag_only_the_sum_tells_and_it_begins_anew(
    server: FileServer, tmp_path: Path
) -> None:
    server.tag = ""
    begin(server, tmp_path / "image")
    server.content = CONTENT[::-1]
    other = Checksum("sha512", hashlib.sha512(server.content).hexdigest())
    fetch(server, tmp_path / "image", checksum=other)
    assert (tmp_path / "image").read_bytes() == server.content
    assert len(server.asked) == 3


def test_killed_after_the_last_byte(server: FileServer, tmp_path: Path) -> None:
    begin(server, tmp_path / "image")
    (tmp_path / ".image.part").write_bytes(CONTENT)
    fetch(server, tmp_path / "image")
    assert server.asked[1:] == [f"/file bytes={len(CONTENT)}-"]
    assert (tmp_path / "image").read_bytes() == CONTENT


def test_a_wrong_sum_is_told_with_both_and_nothing_stays(
    server: FileServer, tmp_path: Path
) -> None:
    wrong = Checksum("sha256", "0" * 64)
    with pytest.raises(KubertError) as caught:
        fetch(server, tmp_path / "image", checksum=wrong)
    for word in (server.address, RIGHT.digest, wrong.digest):
        assert word in caught.value.what
    assert names(tmp_path) == []


def test_redirects_are_followed_but_never_down_to_http(server: FileServer, tmp_path: Path) -> None:
    fetch(server, tmp_path / "image", path=f"/to/{server.address}/other")
    assert (tmp_path / "image").read_bytes() == CONTENT
    for place in ("ftp://127.0.0.1/x", "file:///etc/passwd"):
        with pytest.raises(KubertError):
            fetch(server, tmp_path / "again", path=f"/to/{place}")
    with pytest.raises(KubertError, match="is not https"):
        download(f"{server.address}/file", tmp_path / "again", Flag())


def test_what_is_not_there_is_told_at_once(server: FileServer, tmp_path: Path) -> None:
    with pytest.raises(KubertError, match=r"/missing: 404"):
        fetch(server, tmp_path / "image", path="/missing")
    assert len(server.asked) == 1
    server.address = "http://127.0.0.1:1"
    with pytest.raises(KubertError, match="cannot fetch http://127"):
        fetch(server, tmp_path / "image")


def test_too_large_a_file_is_left(server: FileServer, tmp_path: Path) -> None:
    with pytest.raises(KubertError, match="larger than 1000 bytes"):
        download(f"{server.address}/file", tmp_path / "image", Flag(), limit=1000, plain_http=True)
    assert names(tmp_path) == []
