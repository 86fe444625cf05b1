"""An image of virtual machines that kubeadm can make a cluster of, with all that it would fetch.

The image that kubert-tui builds for a lab's own machines (Debian, systemd, cloud-init, GRUB, a
kernel of its own), with containerd, its own runc, cyclictest, Kubernetes and the images.
"""

import dataclasses
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from unittest.mock import patch

from kubert_tui.practice import disk
from kubert_tui.practice.cloud_image import CloudImage
from kubert_tui.practice.images import Images
from kubert_tui.practice.model import Order
from kubert_tui.practice.node_containers import PACKAGES
from kubert_tui.practice.pace import Pace, Step
from tests.support.kubernetes import binaries, filling

_PACKAGES = (*PACKAGES, "rt-tests")


class NodeImage(CloudImage):
    """See `practice.images.Builder`; `cache` is where the programs are kept."""

    kind = "node-machines"

    def __init__(self, cache: Path) -> None:
        self._cache = cache

    @property
    def build_steps(self) -> Sequence[Step]:
        return (*binaries.steps(self._cache), *super().build_steps, *filling.STEPS)

    def recipe(self) -> str:
        return "\n".join((super().recipe(), *_PACKAGES, filling.recipe()))

    def build(self, target: Path, pace: Pace) -> None:
        built = binaries.ensure(self._cache, target / "build.log", pace)
        make = partial(_make_root, disk._make_root, built)
        with patch.object(disk, "_make_root", make):
            super().build(target, pace)


def _make_root(
    plain: object, built: Path, root: Path, identity: str, flavour: disk.Flavour,
    *, log: Path, pace: Pace, mark: str,
) -> None:  # fmt: skip
    assert callable(plain)
    more = dataclasses.replace(flavour, packages=(*flavour.packages, *_PACKAGES))
    plain(root, identity, more, log=log, pace=pace, mark=mark)
    filling.fill(root, built, pace, mark)


def node_image(cache: Path, order: Order) -> Path:
    """Return the image, a qcow2 file; built first (4 minutes, and Kubernetes) if need be."""
    builder = NodeImage(cache)
    images = Images(cache, builder)
    return images.ensure(Pace(order, builder.build_steps, images.durations)) / "cloud.qcow2"
