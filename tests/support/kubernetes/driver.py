"""Practice machines on which kubeadm can make a cluster, with all that it would fetch."""

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

from kubert_tui.practice import processes
from kubert_tui.practice.containers import SUITE
from kubert_tui.practice.node_container import RUNTIME
from kubert_tui.practice.node_containers import NodeContainers
from kubert_tui.practice.pace import Pace, Step
from kubert_tui.practice.tools import Tool, missing
from tests.support.kubernetes import binaries, images

_FILES = binaries.HERE / "files"
_PACKED = Step("fetching what images are made of", 40)
_IMAGES = Step("making images", 15)
_STORING = Step("putting images into the runtime's store", 15)
PROGRAMS = ("kubeadm", "kubelet", "kubectl", "crictl")
"""What a package repository would have installed."""


class ClusterContainers(NodeContainers):
    """See `practice.driver.Driver`; `cache` is where the programs are kept."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache

    @property
    def build_steps(self) -> Sequence[Step]:
        known = binaries.directory(self._cache).is_dir()
        kubernetes = () if known else tuple(binaries.STEPS.values())
        return (*kubernetes, *super().build_steps, _PACKED, _IMAGES, _STORING)

    def missing(self) -> list[Tool]:
        return [*super().missing(), *missing(binaries.TOOLS)]

    def recipe(self) -> str:
        ours = (*sorted(_FILES.iterdir()), *(binaries.HERE / f"{name}.py" for name in
                                             ("archive", "driver", "images")))  # fmt: skip
        digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in ours]
        return "\n".join((super().recipe(), binaries.recipe(), *images.PACKAGES, *digests))

    def build(self, target: Path, pace: Pace) -> None:
        log = target / "build.log"
        built = binaries.ensure(self._cache, log, pace)
        super().build(target, pace)
        root = target / "root"
        _install(root, built)

        def run(*argv: str) -> None:
            processes.run_long(argv, mark=f"build:{target}", log=log, pace=pace)

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
            str(_FILES / "store-images.sh"), str(root), f"/{archives.relative_to(root)}",
            f"/{RUNTIME}")  # fmt: skip
        shutil.rmtree(archives)


def _install(root: Path, built: Path) -> None:
    """Put in place what packages of Kubernetes bring, and what our stand-ins are."""
    for name in PROGRAMS:
        shutil.copy2(built / name, root / "usr/bin" / name)
    plugins = root / "opt/cni/bin"
    plugins.mkdir(parents=True)
    for plugin in (root / "usr/lib/cni").iterdir():
        (plugins / plugin.name).symlink_to(f"/usr/lib/cni/{plugin.name}")
    units = root / "etc/systemd/system"
    shutil.copyfile(_FILES / "kubelet.service", units / "kubelet.service")
    dropin = units / "kubelet.service.d"
    dropin.mkdir()
    shutil.copyfile(_FILES / "10-kubeadm.conf", dropin / "10-kubeadm.conf")
    (root / "etc/kubernetes/manifests").mkdir(parents=True)
    wrapper = root / "usr/local/sbin/runc"
    shutil.copyfile(_FILES / "runc.py", wrapper)
    wrapper.chmod(0o755)
