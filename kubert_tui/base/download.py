"""Fetch one file, whole or not at all; what broke off, by whatever, goes on where it was.

Beside the target lie `.NAME.part`, what came so far, and `.NAME.part.json`, whose it is. A server
is asked for the rest only of what it still has (If-Range, RFC 9110); one that cannot do that sends
all of it again. Nothing is the target before its checksum was compared.
"""

import hashlib
import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fcntl import LOCK_EX, LOCK_NB, flock
from http.client import HTTPException, HTTPMessage, HTTPResponse
from pathlib import Path
from threading import Event as Flag
from typing import IO, BinaryIO, Protocol
from urllib.parse import urlsplit

from kubert_tui.base.errors import CancelledError, KubertError
from kubert_tui.base.text import clean_line

Progress = Callable[[int, int | None], None]
"""Gets the bytes that are there, and all there will be (None if the server does not say)."""

_TIMEOUT = 20.0
_CHUNK = 256 * 1024
_PARTIAL, _NOT_SATISFIABLE, _SERVER_ERRORS = 206, 416, 500
_TURN = 0.2


class Hash(Protocol):
    """What hashlib makes."""

    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Checksum:
    """What proves a file."""

    algorithm: str
    """sha256 or sha512."""
    digest: str
    """Lower-case hexadecimal digits."""

    def __str__(self) -> str:
        return f"{self.algorithm} {self.digest}"


class _BrokenOffError(Exception):
    """The connection ended before the file did."""


def download(
    address: str,
    target: Path,
    cancel: Flag,
    *,
    checksum: Checksum | None = None,
    limit: int = 0,
    plain_http: bool = False,
    progress: Progress = lambda _done, _total: None,
) -> None:
    """Write what lies at `address` to `target`, in a directory of ours.

    `plain_http`: not only https, because something else proves what comes. `limit` is in bytes, 0
    for none. A connection that ends in the middle is made again as long as more comes each time.
    Raises KubertError with address and reason (what came is kept, unless it is wrong), and
    CancelledError.
    """
    _refuse_scheme(address, plain_http=plain_http)
    order = _Order(address, checksum, limit, plain_http, progress, cancel)
    with _one_at_a_time(target.parent, cancel) as waited:
        if waited and target.exists():
            return  # another process brought it meanwhile, and compared it
        part = _Part(target, address)
        resumed = part.size > 0
        _fetch_all(order, part)
        if checksum is not None and part.digest(checksum.algorithm) != checksum.digest and resumed:
            # Perhaps only the beginning was another file's.
            part.remove()
            _fetch_all(order, part)
        if checksum is not None and (got := part.digest(checksum.algorithm)) != checksum.digest:
            part.remove()
            raise KubertError(
                f"{address} has {checksum.algorithm} {got}, not the expected {checksum.digest}:"
                " refused",
                fix="compare with what its publisher says; a mirror may be old, or tampered with",
            )
        part.become(target)


def digest_of(path: Path, algorithm: str = "sha256") -> str:
    """Return the hexadecimal digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def sha256_of(path: Path) -> str:
    """Return the hexadecimal sha256 of a file."""
    return digest_of(path)


@dataclass(frozen=True, slots=True)
class _Order:
    address: str
    checksum: Checksum | None
    limit: int
    plain_http: bool
    progress: Progress
    cancel: Flag


class _Part:
    """What came so far."""

    def __init__(self, target: Path, address: str) -> None:
        self._path = target.with_name(f".{target.name}.part")
        self._record = target.with_name(f".{target.name}.part.json")
        self._hashes: dict[str, Hash] = {}
        self.validator = ""
        """ETag or date by which the server knows it again."""
        try:
            record = json.loads(self._record.read_text(encoding="utf-8"))
            same = record["address"] == address
            self.validator = str(record["validator"]) if same else ""
        except (OSError, ValueError, KeyError, TypeError):
            same = False
        if not same:
            self.remove()

    @property
    def size(self) -> int:
        with suppress(FileNotFoundError):
            return self._path.stat().st_size
        return 0

    def begin(self, address: str, validator: str) -> BinaryIO:
        """Start with nothing."""
        self.remove()
        self.validator = validator
        record = {"address": address, "validator": validator}
        self._record.write_text(json.dumps(record), encoding="utf-8")
        return self._path.open("wb")

    def go_on(self) -> BinaryIO:
        return self._path.open("ab")

    def count(self, algorithm: str) -> Hash:
        """Return the hash of what is there already, to be updated with what comes."""
        digest: Hash = hashlib.new(algorithm)
        with suppress(FileNotFoundError), self._path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
        self._hashes[algorithm] = digest
        return digest

    def digest(self, algorithm: str) -> str:
        return (self._hashes.get(algorithm) or self.count(algorithm)).hexdigest()

    def become(self, target: Path) -> None:
        with self._path.open("rb") as file:
            os.fsync(file.fileno())
        self._path.replace(target)
        self.remove()

    def remove(self) -> None:
        self._hashes.clear()
        self._path.unlink(missing_ok=True)
        self._record.unlink(missing_ok=True)


def _fetch_all(order: _Order, part: _Part) -> None:
    furthest = -1
    while True:
        try:
            _fetch(order, part)
        except _BrokenOffError as error:
            if part.size <= furthest or not part.size:
                raise KubertError(
                    f"cannot fetch {order.address}: {error}",
                    fix="start again: it goes on from where it broke off"
                    if part.size
                    else "is there a way to it from this computer? Or name a mirror",
                ) from None
            furthest = part.size
        else:
            return


def _fetch(order: _Order, part: _Part) -> None:
    """Ask once, for what is missing; _BrokenOffError when not all of it came."""
    start = part.size
    headers = {"User-Agent": "kubert-tui", "Accept-Encoding": "identity"}
    # Without a validator only a checksum can tell whether the rest belongs to what is there.
    if start and (part.validator or order.checksum):
        headers["Range"] = f"bytes={start}-"
        if part.validator:
            headers["If-Range"] = part.validator
    request = urllib.request.Request(order.address, headers=headers)  # noqa: S310  checked before
    try:
        with _opener(order).open(request, timeout=_TIMEOUT) as answer:
            _take(order, part, answer, start if "Range" in headers else 0)
    except urllib.error.HTTPError as error:
        if error.code == _NOT_SATISFIABLE and start:
            told = error.headers.get("Content-Range", "")
            if order.checksum and told == f"bytes */{start}":
                return  # it was killed after the last byte
            part.remove()
            _fetch(order, part)
            return
        reason = clean_line(f"{error.code} {error.reason}")
        if error.code >= _SERVER_ERRORS and start:
            raise _BrokenOffError(reason) from None
        raise KubertError(
            f"cannot fetch {order.address}: {reason}",
            fix="is the address right, and does the server still have it? Or name a mirror",
        ) from None
    except (urllib.error.URLError, HTTPException, _NetworkError) as error:
        reason = clean_line(str(getattr(error, "reason", error)))
        raise _BrokenOffError(reason) from None


class _NetworkError(Exception):
    """Reading from the server failed; not to be taken for trouble with this computer's disk."""


def _take(order: _Order, part: _Part, answer: HTTPResponse, start: int) -> None:
    if answer.status == _PARTIAL and answer.headers.get("Content-Range", "").startswith(
        f"bytes {start}-"
    ):
        file, size = part.go_on(), start
    elif answer.status == _PARTIAL:
        part.remove()
        raise _BrokenOffError("the server sent another part than it was asked for")
    else:
        file, size = part.begin(order.address, _validator(answer)), 0
    length = answer.headers.get("Content-Length", "")
    total = size + int(length) if length.isdigit() else None
    digest = part.count(order.checksum.algorithm) if order.checksum else None
    with file:
        order.progress(size, total)
        while chunk := _read(answer):
            if order.cancel.is_set():
                raise CancelledError("cancelled", fix="start again: it goes on from here")
            size += len(chunk)
            if order.limit and size > order.limit:
                part.remove()
                raise KubertError(f"{order.address} is larger than {order.limit} bytes")
            file.write(chunk)
            if digest is not None:
                digest.update(chunk)
            order.progress(size, total)
    if total is not None and size < total:
        raise _BrokenOffError(f"it ended after {size} of {total} bytes")


def _read(answer: HTTPResponse) -> bytes:
    try:
        return answer.read(_CHUNK)
    except (OSError, HTTPException) as error:
        raise _NetworkError(str(error) or type(error).__name__) from None


def _validator(answer: HTTPResponse) -> str:
    tag = answer.headers.get("ETag", "")
    # A weak one says that two are alike, not that they are the same bytes.
    return tag if tag.startswith('"') else answer.headers.get("Last-Modified", "")


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows to where we would have gone ourselves only."""

    def __init__(self, *, plain_http: bool) -> None:
        self._plain_http = plain_http

    def redirect_request(  # noqa: PLR0917  as it is called
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        _refuse_scheme(newurl, plain_http=self._plain_http, sent_by=req.full_url)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener(order: _Order) -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(_Redirects(plain_http=order.plain_http))


def _refuse_scheme(address: str, *, plain_http: bool, sent_by: str = "") -> None:
    schemes = ("https", "http") if plain_http else ("https",)
    try:
        parts = urlsplit(address)
        fine = parts.scheme in schemes and bool(parts.hostname) and address.isprintable()
    except ValueError:
        fine = False
    if not fine:
        by = f" ({sent_by} leads there)" if sent_by else ""
        raise KubertError(f"refused: {clean_line(address)} is not {' or '.join(schemes)}{by}")


@contextmanager
def _one_at_a_time(directory: Path, cancel: Flag) -> Iterator[bool]:
    """Nobody else fetches into `directory` inside; yields whether somebody did."""
    waited = False
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        while True:
            try:
                flock(descriptor, LOCK_EX | LOCK_NB)
                break
            except BlockingIOError:
                waited = True
                if cancel.wait(_TURN):
                    raise CancelledError("cancelled") from None
        yield waited
    finally:
        os.close(descriptor)
