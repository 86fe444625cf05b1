"""The pool of disks that labs of kubert-tui share on a host: volumes made, filled, removed."""

import errno
import io
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO

import libvirt

from kubert_tui.base.errors import KubertError
from kubert_tui.lab.size import format_size
from kubert_tui.machines.calls import told
from kubert_tui.machines.guest import BASE, IMAGE, POOL, POOL_PATH
from kubert_tui.machines.hypervisor import Hypervisor
from kubert_tui.machines.xml import add, element, parse, text_of

_MIB = 1 << 20
_CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume of the pool."""

    name: str
    path: str
    capacity: int
    """Bytes, as a machine sees it."""
    format: str
    backing: str
    """The path of the volume it is a copy-on-write copy of, `` if none."""


class Storage:
    """Our pool on one host. Methods raise as those of Hypervisor do."""

    def __init__(self, hypervisor: Hypervisor) -> None:
        self._hypervisor = hypervisor
        self._host = hypervisor.host

    @property
    def present(self) -> bool:
        """Whether the host has the pool."""
        with told(self._host, f"looking for the storage pool {POOL}"):
            return self._pool() is not None

    def ensure(self, path: str = POOL_PATH) -> None:
        """Have the pool there and active, its directory made if need be."""
        with told(self._host, f"making the storage pool {POOL}"):
            pool = self._pool()
            if pool is None:
                pool = self._hypervisor.connection.storagePoolDefineXML(_pool_xml(path), 0)
            if not pool.isActive():
                pool.create(libvirt.VIR_STORAGE_POOL_CREATE_WITH_BUILD)
            pool.setAutostart(True)
            pool.refresh(0)

    def volumes(self) -> tuple[Volume, ...]:
        """Return all volumes, by name; none if there is no pool."""
        with told(self._host, "listing volumes"):
            pool = self._pool()
            if pool is None or not pool.isActive():
                return ()
            pool.refresh(0)
            found = [_read(one) for one in pool.listAllVolumes(0)]
        return tuple(sorted(found, key=lambda one: one.name))

    def room(self) -> int | None:
        """Return the bytes that are free where the pool is, None if there is no pool."""
        with told(self._host, f"asking how full the storage pool {POOL} is"):
            pool = self._pool()
            if pool is None or not pool.isActive():
                return None
            pool.refresh(0)
            return int(pool.info()[3])

    def path(self) -> str:
        """Return the directory of the pool; KubertError if there is no pool."""
        with told(self._host, f"looking for the directory of the storage pool {POOL}"):
            return parse(self._needed().XMLDesc(0)).findtext("target/path") or POOL_PATH

    def volume(self, name: str) -> Volume | None:
        """Return the volume called `name`, None if there is none."""
        with told(self._host, f"looking for the volume {name}"):
            one = self._lookup(name)
            return None if one is None else _read(one)

    def copy_on_write(self, name: str, base: str, mib: int) -> None:
        """Make the disk `name` of so many MiB, with the volume `base` below it."""
        below = self.volume(base)
        if below is None:
            raise KubertError(
                f"the pool {POOL} has no image {base}",
                fix="bring the image to the host first",
                host=self._host,
            )
        if mib * _MIB < below.capacity:
            least = format_size(-(-below.capacity // _MIB))
            raise KubertError(
                f"a disk of {format_size(mib)} is too small for the image {base} ({least})",
                fix=f"give the machine a disk of at least {least} in the lab file",
                host=self._host,
            )
        volume = element("volume")
        add(volume, "name", name)
        add(volume, "capacity", str(mib * _MIB), unit="bytes")
        add(add(volume, "target"), "format", type="qcow2")
        backing = add(volume, "backingStore")
        add(backing, "path", below.path)
        add(backing, "format", type=below.format)
        with told(self._host, f"making the disk {name}"):
            self._needed().createXML(text_of(volume), 0)

    def write(self, name: str, data: bytes) -> None:
        """Make the small volume `name` with this content, in place of any that is there."""
        self.upload(name, io.BytesIO(data), len(data))

    def upload(
        self,
        name: str,
        source: BinaryIO,
        size: int,
        *,
        kind: str = "raw",
        mode: str = "0600",
        progress: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Make the volume `name` from `size` bytes of `source`, in place of any other.

        `progress` is told how many bytes are over; holes of a file take no time, and no room there.
        It may raise, to call it off: nothing stays behind then. Killed in the middle, part of it
        stays, under that name.
        """
        self.delete(name)
        volume = element("volume")
        add(volume, "name", name)
        add(volume, "capacity", str(size), unit="bytes")
        add(volume, "allocation", "0")  # else all of it is taken at once
        target = add(volume, "target")
        add(target, "format", type=kind)
        add(add(target, "permissions"), "mode", mode)
        with told(self._host, f"bringing the volume {name} to the host"):
            one = self._needed().createXML(text_of(volume), 0)
            stream = self._hypervisor.connection.newStream(0)
            try:
                one.upload(stream, 0, size, libvirt.VIR_STORAGE_VOL_UPLOAD_SPARSE_STREAM)
                sent = 0
                for piece in _pieces(source, size):
                    if isinstance(piece, int):
                        stream.sendHole(piece)
                        sent += piece
                    else:
                        _send(stream, piece)
                        sent += len(piece)
                    progress(sent)
                stream.finish()
            except BaseException:
                _forget(stream.abort)
                _forget(lambda: one.delete(0))
                raise

    def delete(self, name: str) -> None:
        """Remove a volume. Nothing happens if it is not there."""
        with told(self._host, f"removing the volume {name}"):
            one = self._lookup(name)
            if one is not None:
                one.delete(0)

    def remove_unused(self) -> None:
        """Remove images that no disk is a copy of, and the pool itself once it is empty."""
        for prefix in (BASE, IMAGE):  # an image is used by base volumes, those by disks
            volumes = self.volumes()
            used = {one.backing for one in volumes}
            for one in volumes:
                if one.name.startswith(prefix) and one.path not in used:
                    self.delete(one.name)
        with told(self._host, f"removing the storage pool {POOL}"):
            pool = self._pool()
            if pool is None or (pool.isActive() and pool.numOfVolumes()):
                return
            if pool.isActive():
                pool.destroy()
            _forget(lambda: pool.delete(0))  # its directory; it may hold what is no volume
            pool.undefine()

    def _needed(self) -> Any:
        pool = self._pool()
        if pool is None:
            raise KubertError(f"there is no storage pool {POOL}", host=self._host)
        return pool

    def _pool(self) -> Any:
        try:
            return self._hypervisor.connection.storagePoolLookupByName(POOL)
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_STORAGE_POOL:
                return None
            raise

    def _lookup(self, name: str) -> Any:
        pool = self._pool()
        if pool is None or not pool.isActive():
            return None
        try:
            return pool.storageVolLookupByName(name)
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_STORAGE_VOL:
                return None
            raise


def _pieces(source: BinaryIO, size: int) -> Iterator[bytes | int]:
    """Yield what is in `source`: data, and for holes their lengths."""
    try:
        file = source.fileno()
    except OSError:  # it is in memory
        while chunk := source.read(_CHUNK):
            yield chunk
        return
    position = 0
    while position < size:
        try:
            data = os.lseek(file, position, os.SEEK_DATA)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            data = size
        if data > position:
            yield data - position
        position = data
        hole = os.lseek(file, position, os.SEEK_HOLE) if position < size else size
        while position < hole and (chunk := os.pread(file, min(_CHUNK, hole - position), position)):
            yield chunk
            position += len(chunk)


def _send(stream: Any, chunk: bytes) -> None:
    while chunk:
        chunk = chunk[stream.send(chunk) :]


def _pool_xml(path: str) -> str:
    pool = element("pool", type="dir")
    add(pool, "name", POOL)
    target = add(pool, "target")
    add(target, "path", path)
    # Others may pass, which QEMU's user must, but not look around.
    add(add(target, "permissions"), "mode", "0711")
    return text_of(pool)


def _read(one: Any) -> Volume:
    volume = parse(one.XMLDesc(0))
    kind = volume.find("target/format")
    return Volume(
        name=one.name(),
        path=one.path(),
        capacity=int(one.info()[1]),
        format="raw" if kind is None else kind.get("type", "raw"),
        backing=volume.findtext("backingStore/path") or "",
    )


def _forget(call: Callable[[], object]) -> None:
    with suppress(libvirt.libvirtError):
        call()
