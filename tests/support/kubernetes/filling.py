"""Puts into a root directory what a package repository and a registry would have brought a node."""

import hashlib
import shutil
from pathlib import Path

from kubert_tui.practice import processes
from kubert_tui.practice.containers import SUITE
from kubert_tui.practice.node_container import RUNTIME
from kubert_tui.practice.pace import Pace, Step
from tests.support.kubernetes import binaries, images

FILES = binaries.HERE / "files"
_PACKED = Step("fetching what images are made of", 40)
_IMAGES = Step("making images", 15)
_STORING = Step("putting images into the runtime's store", 15)
STEPS = (_PACKED, _IMAGES, _STORING)
PROGRAMS = ("kubeadm", "kubelet", "kubectl", "crictl")
"""What a package repository would have installed."""


def recipe() -> str:
    """Return all that what is put there depends on."""
    ours = (*sorted(FILES.iterdir()), *(binaries.HERE / f"{name}.py" for name in
                                        ("archive", "filling", "images")))  # fmt: skip
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in ours]
    return "\n".join((binaries.recipe(), *images.PACKAGES, *digests))


def fill(root: Path, built: Path, pace: Pace, mark: str) -> None:
    """Fill `root`, which has a node's packages, from the programs in `built`; use its parent."""
    target = root.parent

    def run(*argv: str) -> None:
        processes.run_long(argv, mark=mark, log=target / "build.log", pace=pace)

    _install(root, built)
    pace.begin(_PACKED.name)
    packed, archives = target / "packed", root / "var/tmp/images"
    run("mmdebstrap", "--variant=minbase", f"--include={','.join(images.PACKAGES)}",
        "--dpkgopt=path-exclude=/usr/share/doc/*", SUITE, str(packed))  # fmt: skip
    pace.begin(_IMAGES.name)
    archives.mkdir()
    images.make(built, (built / "version").read_text().strip(), packed, archives)
    shutil.rmtree(packed)
    pace.begin(_STORING.name)
    run("unshare", "--mount", "--pid", "--fork", "--kill-child", "--net", "sh",
        str(FILES / "store-images.sh"), str(root), f"/{archives.relative_to(root)}",
        f"/{RUNTIME}")  # fmt: skip
    shutil.rmtree(archives)


def _install(root: Path, built: Path) -> None:
    """Put in place what packages of Kubernetes bring."""
    for name in PROGRAMS:
        shutil.copy2(built / name, root / "usr/bin" / name)
    plugins = root / "opt/cni/bin"
    plugins.mkdir(parents=True)
    for plugin in (root / "usr/lib/cni").iterdir():
        (plugins / plugin.name).symlink_to(f"/usr/lib/cni/{plugin.name}")
    units = root / "etc/systemd/system"
    shutil.copyfile(FILES / "kubelet.service", units / "kubelet.service")
    dropin = units / "kubelet.service.d"
    dropin.mkdir()
    shutil.copyfile(FILES / "10-kubeadm.conf", dropin / "10-kubeadm.conf")
    (root / "etc/kubernetes/manifests").mkdir(parents=True)
