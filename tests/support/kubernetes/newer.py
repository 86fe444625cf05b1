"""The same Kubernetes under the number of the next minor release: to be upgraded to.

Only one version can be built from Debian's source. What upgrades work by is the number that the
linker wrote into each program (`-X ...gitVersion=v1.20.2` in build.sh), seven letters that are
replaced here by seven others. So kubeadm's own way through an upgrade is real, with its rules about
versions, its images and its configuration by minor release; what is upgraded to behaves as before.
"""

import platform
import subprocess
from pathlib import Path

from tests.support.kubernetes.archive import Image, with_libraries, write_archive
from tests.support.kubernetes.hosts import ClusterHosts
from tests.support.kubernetes.images import REPOSITORIES

SERVERS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
_SHELL = "/usr/bin/dash"
_PAUSE = f"""\
#!{_SHELL}
# kubeadm tries whether pods run by `pause -v`; ours only waits.
[ "$1" = -v ] || exec /usr/local/bin/pause
"""


def renumbered(program: Path, old: str, new: str) -> bytes:
    """Return a program with the number `new` where the linker wrote `old`."""
    before, after = (f"\0{number}\0".encode() for number in (old, new))
    data = program.read_bytes()
    assert len(before) == len(after)
    assert before in data, program
    return data.replace(before, after)


def bring_images(hosts: ClusterHosts, built: Path, new: str, work: Path) -> None:
    """Import the images of version `new` on both hosts, as a registry would give them."""
    archives = []
    for name in SERVERS:
        program = work / name
        program.write_bytes(renumbered(built / name, hosts.version, new))
        program.chmod(0o755)
        names = tuple(f"{where}/{name}:{new}" for where in REPOSITORIES)
        image = Image(names, {f"/usr/local/bin/{name}": program})
        archives.append(_archive(image, work / f"{name}.tar"))
    root = hosts.twins.root(hosts.worker)
    needs = subprocess.run(
        ["chroot", str(root), "ldd", _SHELL], capture_output=True, text=True, check=True
    ).stdout
    pause = Image(
        tuple(f"{where}/pause:3.2" for where in REPOSITORIES),
        {"/usr/local/bin/pause": built / "pause", **with_libraries(root, [_SHELL], needs)},
        {"/usr/local/bin/pause-or-not": _PAUSE},
        entrypoint=("/usr/local/bin/pause-or-not",),
    )
    archives.append(_archive(pause, work / "pause.tar"))
    proxies = [f"{where}/kube-proxy" for where in REPOSITORIES]
    tag = "ctr -n k8s.io images tag --force"
    tags = "; ".join(f"{tag} {one}:{hosts.version} {one}:{new}" for one in proxies)
    for host in hosts.names:
        for archive in archives:
            target = hosts.twins.root(host) / "var/tmp" / archive.name
            target.write_bytes(archive.read_bytes())
            hosts.run(host, f"ctr -n k8s.io images import /var/tmp/{archive.name}")
            target.unlink()
        hosts.run(host, tags)


def bring_programs(hosts: ClusterHosts, host: str, built: Path, new: str) -> None:
    """Put kubeadm, kubelet and kubectl of version `new` in place; what runs goes on."""
    for name in ("kubeadm", "kubelet", "kubectl"):
        target = hosts.twins.root(host) / "usr/bin" / name
        beside = target.with_name(f".{name}")
        beside.write_bytes(renumbered(built / name, hosts.version, new))
        beside.chmod(0o755)
        beside.rename(target)


def _archive(image: Image, file: Path) -> Path:
    write_archive(image, file, platform.machine())
    return file
