"""The machines' image on every host that runs some: got here once, brought to all side by side."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from kubert_tui.base import paths
from kubert_tui.base.errors import KubertError, UnreachableError
from kubert_tui.checks.image import why_none
from kubert_tui.events.model import Note, PlannedStep, Waiting
from kubert_tui.facts.fact import Known, Unknown
from kubert_tui.facts.model import Facts
from kubert_tui.facts.virtual import Libvirt
from kubert_tui.lab.model import HostSpec, Lab, Permission
from kubert_tui.machines.base_images import bring, make_base, whole_images
from kubert_tui.machines.guest import IMAGE, POOL, POOL_PATH
from kubert_tui.machines.image_file import ImageFile
from kubert_tui.machines.image_name import base_volume
from kubert_tui.machines.image_source import (
    Teller,
    cached,
    identity_of,
    local_checksum,
    obtain_image,
)
from kubert_tui.machines.storage import Storage
from kubert_tui.practice.model import Progress as BuildProgress
from kubert_tui.stages.model import Work
from kubert_tui.stages.playbook_change import PlaybookChange
from kubert_tui.stages.progress import meter

_MACHINES = frozenset({Permission.MACHINES})
_STEP_EVERY = 5.0

Obtain = Callable[[Work], ImageFile]


def obtain(work: Work) -> ImageFile:
    """Get the lab's image onto this computer, telling how it goes."""
    return obtain_image(work.lab.image, paths.cache(), _teller(work))


@dataclass(frozen=True, slots=True)
class ImageChange:
    """Bring the image. See `Change` for what the methods promise."""

    confirm: str = ""
    previews: bool = True
    source: Obtain = obtain

    def needs(self, lab: Lab, host: HostSpec) -> frozenset[Permission]:  # noqa: ARG002
        return _MACHINES

    def plan(self, lab: Lab, facts: Facts) -> tuple[PlannedStep, ...]:
        host, base = facts.host, base_volume(lab)
        last = PlannedStep(host, f"Make the base volume {base} of it in the pool {POOL}")
        if lab.image.source == "vagrant":
            return (*_playbook().plan(lab, facts), last)
        send = f"Bring it into the pool {POOL} ({POOL_PATH}), unless it is there"
        return *_getting(lab, host), PlannedStep(host, send), last

    def preview(self, work: Work, hosts: tuple[str, ...]) -> None:
        if work.lab.image.source == "vagrant":
            _playbook().preview(work, hosts)
            return
        for host in hosts:
            with work.hypervisor(host) as hypervisor:
                volumes = Storage(hypervisor).volumes()
            there = ", ".join(one.name for one in volumes if one.name.startswith(IMAGE))
            text = f"Would bring {base_volume(work.lab)}; images there now: {there or 'none'}."
            work.emit(Note(host=host, text=text))

    def apply(self, work: Work, hosts: tuple[str, ...]) -> None:
        base = base_volume(work.lab)
        if work.lab.image.source == "vagrant":
            self._from_box(work, hosts, base)
            return
        image = self.source(work)

        def to(host: str) -> None:
            told = meter(work, host, f"bringing {image.path.name} to {host}")
            with work.hypervisor(host) as hypervisor:
                bring(Storage(hypervisor), base, image, lambda done: told(done, image.size))
            work.emit(Note(host=host, text=f"the base volume {base} is there"))

        work.each(hosts, to)

    def _from_box(self, work: Work, hosts: tuple[str, ...], base: str) -> None:
        directories = dict[str, str]()

        def pool(host: str) -> None:
            with work.hypervisor(host) as hypervisor:
                storage = Storage(hypervisor)
                storage.ensure()
                directories[host] = storage.path()

        work.each(hosts, pool)
        _playbook(directories).apply(work, hosts)

        def finish(host: str) -> None:
            with work.hypervisor(host) as hypervisor:
                storage = Storage(hypervisor)
                storage.volumes()  # libvirt has not seen what the playbook put there
                make_base(storage, base, _box_identity(work.lab))
            work.emit(Note(host=host, text=f"the base volume {base} is there"))

        work.each(hosts, finish)


def observe(work: Work, facts: Facts) -> Facts:
    """Add to the facts which images are whole on the host, and the room there is for more.

    A host that runs no machines of the lab is not asked: it may have no libvirt.
    """
    if why_none(facts, work.lab):
        return facts
    try:
        with work.hypervisor(facts.host) as hypervisor:
            storage = Storage(hypervisor)
            room, whole = storage.room(), whole_images(storage.volumes())
        if (other := _changed_since(work, whole)) is not None:
            del whole[other]
    except UnreachableError:
        raise
    except KubertError as error:
        return replace(facts, libvirt=Unknown(error.what))
    known = facts.libvirt.value if isinstance(facts.libvirt, Known) else Libvirt()
    return replace(facts, libvirt=Known(replace(known, images=tuple(sorted(whole)), room=room)))


def _changed_since(work: Work, whole: Mapping[str, str]) -> str | None:
    """Return the lab's base volume if it was made of a file here that is another one now."""
    spec, base = work.lab.image, base_volume(work.lab)
    path = Path(spec.path).expanduser()
    # With a sum in the lab file the name says it; without the file there is nothing to compare.
    if spec.source != "local" or spec.wanted or base not in whole or not path.exists():
        return None
    told = meter(work, "", f"reading {path.name}")
    images = paths.private_directory(paths.cache() / "images")
    now = identity_of(local_checksum(path, images, told, work.cancel))
    return base if whole[base] != now else None


def _getting(lab: Lab, host: str) -> tuple[PlannedStep, ...]:
    spec = lab.image
    match spec.source:
        case "built":
            title = "Build an image here: Debian 12 with cloud-init (unless it is in the cache)"
        case "local":
            title = f"Read {spec.path} on this computer"
        case _:
            if cached(spec, paths.cache()):
                return (PlannedStep(host, f"Take {spec.published} from the cache here"),)
            title = f"Download {spec.address} to this computer, and compare its {spec.wanted}"
            if spec.key:
                proof = f"Check with the key {spec.key} who signed it"
                return PlannedStep(host, title), PlannedStep(host, proof)
    return (PlannedStep(host, title),)


def _playbook(directories: Mapping[str, str] | None = None) -> PlaybookChange:
    def variables(lab: Lab, facts: Facts) -> Mapping[str, object]:
        spec = lab.image
        checksum = spec.wanted
        return {
            "vagrant_box_name": spec.box_name,
            "vagrant_box_version": spec.box_version,
            "vagrant_box_url": spec.box_address,
            "vagrant_box_checksum": checksum.digest if checksum else "",
            "vagrant_box_checksum_type": checksum.algorithm if checksum else "",
            "vagrant_box_volume": f"{IMAGE}{_box_identity(lab)}",
            "vagrant_box_pool": POOL,
            "vagrant_box_directory": (directories or {}).get(facts.host, POOL_PATH),
        }

    return PlaybookChange("vagrant-box.yml", _MACHINES, variables=variables)


def _box_identity(lab: Lab) -> str:
    """What the box's image is called by: its base volume's name follows from the same."""
    return f"box-{base_volume(lab).rpartition('-')[2]}"


def _teller(work: Work) -> Teller:
    begun = time.monotonic()
    last: list[tuple[str, float]] = []

    def step(progress: BuildProgress) -> None:
        now = time.monotonic()
        if progress.done >= 1 or (last and now - last[0][1] < _STEP_EVERY):
            return
        last[:] = [(progress.step, now)]
        what = f"the image that is built here: {progress.step}"
        limit = None if progress.remaining is None else now - begun + progress.remaining
        work.emit(Waiting(what=what, elapsed=now - begun, limit=limit))

    return Teller(
        note=lambda text: work.emit(Note(text=text)),
        progress=lambda what: meter(work, "", what),
        steps=step,
        cancel=work.cancel,
    )
