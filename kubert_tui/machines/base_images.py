"""Base volumes: what the disks of machines are copies of, whole or not there.

An image is brought into the pool under a name of its own (`+image+...`), which takes as long as
it takes and may be cut off anywhere. Once it is there to its last byte, the base volume is made:
an empty copy-on-write copy of it. So a base volume is there when its image is whole, and what is
left of an upload cannot be taken for one.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

from kubert_tui.base.errors import KubertError
from kubert_tui.lab.size import format_size
from kubert_tui.machines.guest import BASE, IMAGE
from kubert_tui.machines.image_file import ImageFile
from kubert_tui.machines.storage import Storage, Volume

_MIB = 1 << 20


def whole_images(volumes: Iterable[Volume]) -> dict[str, str]:
    """Return the base volumes that can be used: name to the identity of the image beneath."""
    volumes = tuple(volumes)
    images = {one.path: one.name.removeprefix(IMAGE) for one in volumes if _is_image(one)}
    return {
        one.name: images[one.backing]
        for one in volumes
        if one.name.startswith(BASE) and one.backing in images and one.capacity > 0
    }


def bring(storage: Storage, base: str, image: ImageFile, progress: Callable[[int], None]) -> None:
    """Have the base volume `base` in the pool, from a file here. What is there is not sent again.

    `progress` as for `Storage.upload`. Raises KubertError also when there is no room, and when
    there is one of another content that disks are copies of.
    """
    storage.ensure()
    known = whole_images(storage.volumes())
    if known.get(base) == image.identity:
        return
    if image.identity not in known.values():
        _refuse_without_room(storage, image)
        with Path(image.path).open("rb") as file:
            storage.upload(
                f"{IMAGE}{image.identity}",
                file,
                image.size,
                kind=image.kind,
                mode="0644",
                progress=progress,
            )
    make_base(storage, base, image.identity)


def make_base(storage: Storage, base: str, identity: str) -> None:
    """Make `base` of the image of that identity, which is whole, in place of one that is not."""
    below = storage.volume(f"{IMAGE}{identity}")
    if below is None:
        raise KubertError(f"the image {identity} is not in the pool", fix="start the stage again")
    volumes = {one.name: one for one in storage.volumes()}
    if (old := volumes.get(base)) is not None:
        if old.backing == below.path and old.capacity > 0:
            return
        users = [one.name for one in volumes.values() if one.backing == old.path]
        if users:
            raise KubertError(
                f"the image has changed since {base} was made of it, and disks are copies of that:"
                f" {', '.join(users[:5])}",
                fix="give the new image's sha256 in the lab file, so that it gets another name;"
                " or destroy these machines first",
            )
        storage.delete(base)
    storage.copy_on_write(base, below.name, -(-below.capacity // _MIB))


def _refuse_without_room(storage: Storage, image: ImageFile) -> None:
    room = storage.room()
    if room is not None and room < image.allocated:
        raise KubertError(
            f"the image needs {format_size(-(-image.allocated // _MIB))} in {storage.path()},"
            f" where {format_size(room // _MIB)} are free",
            fix="make room there",
        )


def _is_image(volume: Volume) -> bool:
    return volume.name.startswith(IMAGE)
