"""The image of a lab: what its keys mean, how its volume is called, what is refused as one."""

import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Event as Flag

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubert_tui.base.errors import KubertError, LabFileError
from kubert_tui.lab.image import ImageSpec
from kubert_tui.lab.image_presets import IMAGE_PRESETS
from kubert_tui.lab.load import parse_lab
from kubert_tui.lab.model import Lab
from kubert_tui.lab.write import dump_lab
from kubert_tui.machines.base_images import whole_images
from kubert_tui.machines.guest import BASE, IMAGE
from kubert_tui.machines.image_file import image_file
from kubert_tui.machines.image_name import base_volume
from kubert_tui.machines.image_source import Teller, cached, obtain_image
from kubert_tui.machines.signatures import sum_of
from kubert_tui.machines.storage import Volume
from tests.support.file_server import FileServer, file_server

QCOW2 = b"QFI\xfb" + (3).to_bytes(4, "big") + bytes(504)
SUM = hashlib.sha256(QCOW2).hexdigest()


def lab(image: str = "") -> Lab:
    return parse_lab(f"name: twins\nhosts: [{{name: bull1}}]\nimage: {{{image}}}\n", "lab.yaml")


@pytest.mark.parametrize(
    ("image", "what"),
    [
        ("url: https://host/x.qcow2", "url needs its sha256 or sha512"),
        ("preset: debian-1", "expected a preset of debian-12"),
        (f"preset: debian-12, url: 'https://host/x', sha256: {SUM}", "not both"),
        (f"sha256: {SUM}", "a preset has one"),
        ("source: local", "expected `path`"),
        ("source: local, path: /x, preset: debian-12", "preset is for source cloud"),
        ("source: vagrant, path: /x", "path is for source local"),
        ("source: vagrant, box: a/b, box_url: 'https://h/b', box_version: '1'", "catalogue"),
        (f"source: vagrant, box: a/b, sha256: {SUM}", "catalogue has its own"),
        ("source: built, architecture: aarch64", "x86_64 only"),
        ("key: /keys", "key goes with"),
        (f"url: 'https://host/x', sha256: {SUM}, checksums: 'https://host/S'", "key goes with"),
        ("sha256: abc", "64 lower-case"),
        ("url: 'file:///etc/passwd'", "an address such as"),
        ("source: vagrant, box: --help", "a box's name"),
        ("presets: x", "did you mean preset"),
    ],
)
def test_what_does_not_fit_is_told(image: str, what: str) -> None:
    with pytest.raises(LabFileError, match=what) as caught:
        lab(image)
    assert "lab.yaml:3: image" in str(caught.value)


@pytest.mark.parametrize(
    "image",
    [
        "preset: fedora-43, mirror: 'http://mirror.lan/pub'",
        f"url: 'https://host/x.qcow2?a=b', sha256: {SUM}, checksums: 'https://host/S', key: ~/k",
        "source: vagrant, box: debian/bookworm64, box_version: '12.1'",
        f"source: local, path: ~/x.qcow2, sha256: {SUM}",
        "source: built",
    ],
)
def test_what_is_written_is_read_back(image: str) -> None:
    wanted = lab(image)
    assert parse_lab(dump_lab(wanted), "lab.yaml") == wanted
    assert "image:" not in dump_lab(lab())


def test_the_name_follows_from_the_content() -> None:
    names = {
        base_volume(lab(image))
        for image in (
            "",
            "preset: debian-12",
            "preset: fedora-43",
            f"url: 'https://host/a.qcow2', sha256: {SUM}",
            f"url: 'https://host/a.qcow2', sha256: {'0' * 64}",
            "source: built",
            "source: vagrant",
            "source: vagrant, box: a/b",
            "source: vagrant, box: a/b, box_version: '2'",
            "source: local, path: /images/a.qcow2",
            "source: local, path: /images/b.qcow2",
            f"source: local, path: /images/a.qcow2, sha256: {SUM}",
        )
    }
    # The same bytes are the same image, whether fetched or found.
    assert len(names) == 11
    # Where it was fetched from is no matter.
    assert base_volume(lab("mirror: 'http://mirror.lan'")) == base_volume(lab())
    assert base_volume(lab("preset: debian-13")) == base_volume(lab())


@given(st.text(min_size=1, max_size=300))
def test_every_name_is_a_plain_file_name(path: str) -> None:
    try:
        spec = ImageSpec(source="local", path=path)
    except ValueError:
        return
    name = base_volume(lab().model_copy(update={"image": spec}))
    assert name.startswith(BASE)
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+._-")
    assert len(name) < 100


def test_a_mirror_takes_the_place_of_the_host() -> None:
    spec = lab("preset: debian-13, mirror: 'http://mirror.lan/cdimage/'").image
    path = IMAGE_PRESETS["debian-13"].url.removeprefix("https://cloud.debian.org")
    assert spec.address == f"http://mirror.lan/cdimage{path}"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (QCOW2[:8] + (512).to_bytes(8, "big") + QCOW2[16:], "a backing file"),
        (QCOW2[:72] + (4).to_bytes(8, "big") + QCOW2[80:], "a file with its data"),
        (b"<html>" + bytes(506), "got HTML"),
        (b"\xfd7zXZ" + bytes(507), "got xz"),
        (bytes(500), "got 500 bytes"),
        (b"", "got 0 bytes"),
    ],
)
def test_what_is_no_image_is_refused(tmp_path: Path, content: bytes, what: str) -> None:
    (tmp_path / "image").write_bytes(content)
    with pytest.raises(KubertError, match=what):
        image_file(tmp_path / "image", "x")


def test_sums_are_read_in_both_spellings() -> None:
    sums = f"# x: 5 bytes\nSHA256 (x.qcow2) = {SUM}\n{SUM.upper()} *y\n{'0' * 64}  ./z\n"
    assert sum_of("x.qcow2", sums) == sum_of("y", sums) == SUM
    assert sum_of("z", sums) == "0" * 64
    assert sum_of("qcow2", sums) == ""


def volume(name: str, backing: str = "", capacity: int = 1 << 20) -> Volume:
    return Volume(name, f"/pool/{name}", capacity, "qcow2", backing)


def test_only_what_stands_on_an_image_is_whole() -> None:
    image = volume(f"{IMAGE}sha256-aa")
    volumes = (
        image,
        volume(f"{BASE}good", image.path),
        volume(f"{BASE}empty", image.path, 0),
        volume(f"{BASE}alone"),
        volume(f"{BASE}orphan", f"/pool/{IMAGE}gone"),
        volume("twins+one.qcow2", f"/pool/{BASE}good"),
    )
    assert whole_images(volumes) == {f"{BASE}good": "sha256-aa"}


class World:
    """A publisher with an image, its signed sums, and a key."""

    def __init__(self, server: FileServer, directory: Path) -> None:
        self.server, self.directory, self.notes = server, directory, list[str]()
        self.tell = Teller(
            self.notes.append, lambda _what: lambda _done, _total: None, lambda _: None, Flag()
        )

    def image(self, more: str = "") -> ImageSpec:
        return lab(f"url: '{self.server.address}/i/x.qcow2', sha256: {SUM}{more}").image

    def obtain(self, more: str = "") -> Path:
        return obtain_image(self.image(more), self.directory / "cache", self.tell).path

    def sign(self, name: str, text: bytes, *options: str) -> bytes:
        home = self.directory / name
        home.mkdir(mode=0o700, exist_ok=True)
        gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--passphrase", ""]
        if not (home / "key").exists():
            make = [*gpg, "--quick-gen-key", name, "ed25519", "sign", "never"]
            subprocess.run(make, check=True, timeout=120)
            key = subprocess.run([*gpg, "--armor", "--export"], check=True, capture_output=True)
            (home / "key").write_bytes(key.stdout)
        signed = subprocess.run([*gpg, *options], input=text, check=True, capture_output=True)
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False)
        return signed.stdout


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with file_server(QCOW2) as server:
        yield World(server, tmp_path)


def test_an_image_is_fetched_once(world: World) -> None:
    first = world.obtain()
    assert first.read_bytes() == QCOW2
    assert cached(world.image(), world.directory / "cache") == first
    world.server.asked.clear()
    assert world.obtain() == first
    assert world.server.asked == []


def test_a_mirror_that_has_something_else_is_refused(world: World) -> None:
    with file_server(QCOW2[::-1]) as mirror:
        with pytest.raises(KubertError, match="refused"):
            world.obtain(f", mirror: '{mirror.address}'")
        assert mirror.asked == ["/i/x.qcow2"]
    assert world.server.asked == []
    assert cached(world.image(), world.directory / "cache") is None


def test_signed_sums_are_believed_when_the_key_is_right(world: World) -> None:
    sums = f"{SUM}  x.qcow2\n".encode()
    world.server.others = {
        "/S": world.sign("alice", sums, "--clearsign"),
        "/plain": sums,
        "/plain.sign": world.sign("alice", sums, "--armor", "--detach-sign"),
        "/x.asc": world.sign("alice", QCOW2, "--detach-sign"),
        "/old": world.sign("alice", f"{'0' * 64}  x.qcow2\n".encode(), "--clearsign"),
    }
    at, key = world.server.address, world.directory / "alice" / "key"
    world.sign("mallory", sums, "--clearsign")
    with pytest.raises(KubertError, match="is not signed by a key"):
        world.obtain(f", checksums: '{at}/S', key: {world.directory}/mallory/key")
    with pytest.raises(KubertError, match=f"has {'0' * 64} for x.qcow2"):
        world.obtain(f", checksums: '{at}/old', key: {key}")
    with pytest.raises(KubertError, match="is not signed by"):
        world.obtain(f", checksums: '{at}/plain', key: {key}")
    assert not any("/i/x.qcow2" in one for one in world.server.asked)
    for proof in (
        f"checksums: '{at}/S'",
        f"checksums: '{at}/plain', signature: '{at}/plain.sign'",
        f"signature: '{at}/x.asc'",
    ):
        world.notes.clear()
        path = world.obtain(f", {proof}, key: {key}")
        assert any("signed by" in note for note in world.notes)
        path.unlink()
    world.server.others["/x.asc"] = world.sign("mallory", QCOW2, "--detach-sign")
    with pytest.raises(KubertError, match="is not signed by"):
        world.obtain(f", signature: '{at}/x.asc', key: {key}")
    assert cached(world.image(), world.directory / "cache") is None


def test_a_local_file_is_read_once_and_compared(world: World) -> None:
    path = world.directory / "mine.qcow2"
    path.write_bytes(QCOW2)
    spec = lab(f"source: local, path: {path}").image
    cache = world.directory / "cache"
    assert obtain_image(spec, cache, world.tell).identity == f"sha256-{SUM[:32]}"
    strict = lab(f"source: local, path: {path}, sha512: {'0' * 128}").image
    with pytest.raises(KubertError, match=r"mine.qcow2 has sha512 .* the lab file 0000"):
        obtain_image(strict, cache, world.tell)
    path.unlink()
    with pytest.raises(KubertError, match="cannot be read"):
        obtain_image(spec, cache, world.tell)
