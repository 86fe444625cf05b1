"""The lab's image, got onto this computer: downloaded and proved, built, or found."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from threading import Event as Flag
from urllib.parse import unquote, urlsplit

from kubert_tui.base.download import Checksum, Progress, digest_of, download
from kubert_tui.base.errors import CancelledError, KubertError
from kubert_tui.base.paths import private_directory, write_private
from kubert_tui.base.text import clean_line
from kubert_tui.lab.image import ImageSpec
from kubert_tui.machines.image_file import ImageFile, image_file
from kubert_tui.machines.signatures import sum_of, verify_clearsigned, verify_detached
from kubert_tui.practice.cloud_image import cloud_image, recipe_key
from kubert_tui.practice.model import OnProgress, Order

_SUMS_LIMIT = 4 << 20
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Teller:
    """Who is told how it goes."""

    note: Callable[[str], None]
    progress: Callable[[str], Progress]
    """What is under way, to who is told of its bytes."""
    steps: OnProgress
    """Of an image that is built."""
    cancel: Flag


def obtain_image(spec: ImageSpec, cache: Path, tell: Teller) -> ImageFile:
    """Return the image of a lab whose source is not vagrant.

    `cache`: kubert-tui's; downloads and built images are in `images` there. Nothing is fetched
    or built twice. Raises KubertError (what was wrong with which address or file, and what to
    do), ToolMissingError, CancelledError.
    """
    images = private_directory(cache / "images")
    match spec.source:
        case "built":
            path = cloud_image(images, Order(tell.steps, tell.cancel))
            return image_file(path, f"built-{recipe_key()}")
        case "local":
            return _local(spec, images, tell)
        case _:
            return _cloud(spec, images, tell)


def cached(spec: ImageSpec, cache: Path) -> Path | None:
    """Return the cloud image if it is in the cache: whole, or it would not be there."""
    path = cache / "images" / _file_name(spec)
    return path if path.exists() else None


def identity_of(checksum: Checksum) -> str:
    """Return what the image's volume is called by: other for other content."""
    return f"{checksum.algorithm}-{checksum.digest[:32]}"


def local_checksum(path: Path, images: Path, progress: Progress, cancel: Flag) -> Checksum:
    """Return the sha256 of a file here; computed once as long as size and time stay."""
    memory = images / "local.json"
    try:
        status = path.stat()
    except OSError as error:
        raise KubertError(
            f"the image {path} cannot be read: {error.strerror}",
            fix="image.path in the lab file names a file on this computer",
        ) from None
    key = f"{path.resolve()} {status.st_size} {status.st_mtime_ns}"
    known = _memory(memory)
    if key not in known:
        known[key] = _sha256(path, status.st_size, progress, cancel)
        write_private(memory, json.dumps(known, indent=1))
    return Checksum("sha256", known[key])


def _cloud(spec: ImageSpec, images: Path, tell: Teller) -> ImageFile:
    checksum = spec.wanted
    assert checksum is not None  # noqa: S101  the lab file is refused without
    target = images / _file_name(spec)
    if target.exists():
        tell.note(f"{target.name} is in the cache")
    else:
        if spec.key:
            _prove(spec, checksum, images, tell)
        tell.note(f"fetching {spec.address}")
        name = _name_of(spec.published)
        download(
            spec.address,
            target,
            tell.cancel,
            checksum=checksum,
            plain_http=True,
            progress=tell.progress(f"downloading {name}"),
        )
        tell.note(f"{name} has the {checksum.algorithm} that was expected")
        if spec.signature and not spec.checksums:
            _prove_itself(spec, target, images, tell)
    return image_file(target, identity_of(checksum))


def _prove_itself(spec: ImageSpec, image: Path, images: Path, tell: Teller) -> None:
    """Make sure that an image is signed; one that is not does not stay in the cache."""
    try:
        signature = _fetched(spec, spec.signature, images, tell)
        try:
            who = verify_detached(image, signature, Path(spec.key).expanduser())
        finally:
            signature.unlink()
    except BaseException:
        image.unlink()
        raise
    tell.note(f"{_name_of(spec.published)} is signed by {who}")


def _prove(spec: ImageSpec, checksum: Checksum, images: Path, tell: Teller) -> None:
    """Make sure that the publisher's signed sums have the image's, before it is fetched."""
    if not spec.checksums:
        return
    key, name = Path(spec.key).expanduser(), _name_of(spec.published)
    sums = _fetched(spec, spec.checksums, images, tell)
    try:
        if spec.signature:
            signature = _fetched(spec, spec.signature, images, tell)
            try:
                who = verify_detached(sums, signature, key)
            finally:
                signature.unlink()
            text = sums.read_text(encoding="utf-8", errors="replace")
        else:
            who, text = verify_clearsigned(sums, key)
    finally:
        sums.unlink()
    got = sum_of(name, text)
    if got != checksum.digest:
        raise KubertError(
            f"{spec.checksums} has {clean_line(got) or 'no sum'} for {name}, the lab file"
            f" {checksum.digest}: refused",
            fix="compare both with what the publisher says",
        )
    tell.note(f"the sums at {spec.checksums} are signed by {who}, and have the lab file's")


def _fetched(spec: ImageSpec, url: str, images: Path, tell: Teller) -> Path:
    address = spec.mirrored(url)
    target = images / f".proof-{hashlib.sha256(url.encode()).hexdigest()[:16]}"
    # A signature is what proves these.
    download(address, target, tell.cancel, limit=_SUMS_LIMIT, plain_http=True)
    return target


def _local(spec: ImageSpec, images: Path, tell: Teller) -> ImageFile:
    path = Path(spec.path).expanduser()
    what = f"reading {path.name}"
    got = local_checksum(path, images, tell.progress(what), tell.cancel)
    wanted = spec.wanted or got
    if wanted.algorithm != got.algorithm:
        got = Checksum(wanted.algorithm, digest_of(path, wanted.algorithm))
    if got != wanted:
        raise KubertError(
            f"{path} has {got.algorithm} {got.digest}, the lab file {wanted.digest}: refused",
            fix="name the right file, or give its sum",
        )
    return image_file(path, identity_of(wanted))


def _sha256(path: Path, size: int, progress: Progress, cancel: Flag) -> str:
    digest, done = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            if cancel.is_set():
                raise CancelledError("cancelled")
            digest.update(chunk)
            done += len(chunk)
            progress(done, size)
    return digest.hexdigest()


def _memory(path: Path) -> dict[str, str]:
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _file_name(spec: ImageSpec) -> str:
    """The name in the cache: the publisher's, behind what proves it."""
    checksum = spec.wanted
    digest = checksum.digest[:16] if checksum else "unproved"
    return f"{digest}-{_name_of(spec.published)}"


def _name_of(url: str) -> str:
    return clean_line(PurePosixPath(unquote(urlsplit(url).path)).name)[:100] or "image"
