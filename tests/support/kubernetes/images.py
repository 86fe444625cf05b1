"""The container images of a cluster, made here: Kubernetes' own, and those that tests start.

`make` needs a root directory with `PACKAGES` in it, and the programs of `binaries.py`.
"""

import platform
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.kubernetes.archive import Image, with_libraries, write_archive

PACKAGES = (
    "etcd-server", "etcd-client", "rt-tests", "stress-ng", "nginx-light", "busybox-static",
    "iptables", "conntrack", "ipset", "kmod",
)  # fmt: skip
"""What the images are made of, in Debian."""

REPOSITORIES = ("k8s.gcr.io", "registry.k8s.io")
"""Where kubeadm 1.20 and its successors look for their images: here they find them under both."""
ETCD, COREDNS, PAUSES = "3.4.13-0", "1.7.0", ("3.2", "3.6")
"""The versions that kubeadm 1.20 asks for; 3.6 is the pause of containerd 1.6."""
REALTIME = "localhost/kubert-rt:tests"
"""cyclictest, stress-ng, hackbench, chrt, taskset and a shell."""
NGINX = ("docker.io/library/nginx:latest", "docker.io/library/nginx:1.27")
"""Debian's nginx under the names of the smoke test's, answering port 80."""

_SHELL = "/bin/busybox"
_APPLETS = {
    f"/bin/{name}": "busybox"
    for name in ("sh", "cat", "echo", "env", "false", "grep", "head", "ls", "mkdir", "nc", "ps",
                 "sed", "sleep", "test", "touch", "true", "uname", "wget")
}  # fmt: skip
_FIREWALL = [
    f"/usr/sbin/{name}"
    for name in ("iptables", "iptables-save", "iptables-restore", "ip6tables", "ip6tables-save",
                 "ip6tables-restore", "conntrack", "ipset", "xtables-nft-multi")
]  # fmt: skip

_PROXY = """\
#!/bin/busybox sh
# The limits of connection tracking belong to this computer: a container cannot set them.
/bin/busybox mkdir -p /tmp
for argument in "$@"; do
    shift
    case $argument in
    --config=*)
        /bin/busybox sed -E \
            -e 's/^( +maxPerCore:).*/\\1 0/' -e 's/^( +min:).*/\\1 0/' \
            -e 's/^( +tcp(EstablishedTimeout|CloseWaitTimeout):).*/\\1 0s/' \
            "${argument#--config=}" >/tmp/config.conf
        argument=--config=/tmp/config.conf
        ;;
    esac
    set -- "$@" "$argument"
done
exec /usr/local/bin/kube-proxy-program "$@"
"""
_NGINX = """\
daemon off;
user root;
error_log /dev/stderr;
pid /run/nginx.pid;
events {}
http {
    access_log off;
    server {
        listen 80;
        location / { return 200 "Welcome to nginx!\\n"; }
    }
}
"""


def make(binaries: Path, version: str, root: Path, out: Path) -> None:
    """Write one file NAME.tar for each image into the directory `out`."""
    for name, image in _images(binaries, version, root).items():
        write_archive(image, out / f"{name}.tar", platform.machine())


def _images(binaries: Path, version: str, root: Path) -> dict[str, Image]:
    def ours(*names: str) -> dict[str, Path]:
        return {f"/usr/local/bin/{name}": binaries / name for name in names}

    found = {
        name: Image(_names(name, version), ours(name))
        for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
    }
    proxy = _of(root, (_SHELL, *_FIREWALL, *_extensions(root)))
    found["kube-proxy"] = Image(
        _names("kube-proxy", version),
        {**proxy, "/usr/local/bin/kube-proxy-program": binaries / "kube-proxy"},
        {"/usr/local/bin/kube-proxy": _PROXY},
    )
    found["etcd"] = Image(
        _names("etcd", ETCD), _of(root, (_SHELL, "/usr/bin/etcd", "/usr/bin/etcdctl"))
    )
    found["pause"] = Image(
        tuple(name for one in PAUSES for name in _names("pause", one)),
        ours("pause"), entrypoint=("/usr/local/bin/pause",),
    )  # fmt: skip
    found["coredns"] = Image(
        (*_names("coredns", COREDNS), *_names("coredns/coredns", f"v{COREDNS}")),
        ours("coredns"), entrypoint=("/usr/local/bin/coredns",),
    )  # fmt: skip
    programs = [f"/usr/bin/{name}" for name in ("cyclictest", "stress-ng", "hackbench", "chrt",
                                                 "taskset")]  # fmt: skip
    found["realtime"] = Image((REALTIME,), _of(root, (_SHELL, *programs)), links=_APPLETS)
    found["nginx"] = Image(
        NGINX, _of(root, (_SHELL, "/usr/sbin/nginx")), {"/etc/nginx/nginx.conf": _NGINX,
        "/etc/passwd": "root:x:0:0::/:/bin/sh\n", "/etc/group": "root:x:0:\n"},
        _APPLETS, entrypoint=("/usr/sbin/nginx",),
        directories=("/tmp", "/run", "/etc", "/var/log/nginx", "/var/lib/nginx"),
    )  # fmt: skip
    return found


def _names(name: str, tag: str) -> tuple[str, ...]:
    return tuple(f"{repository}/{name}:{tag}" for repository in REPOSITORIES)


def _extensions(root: Path) -> Sequence[str]:
    """What iptables loads when a rule asks for it."""
    found = next(root.glob("usr/lib/*/xtables"))
    return [f"/{path.relative_to(root)}" for path in sorted(found.iterdir())]


def _of(root: Path, paths: Sequence[str]) -> Mapping[str, Path]:
    told = subprocess.run(
        ["chroot", str(root), "ldd", *paths], capture_output=True, text=True, check=False
    ).stdout
    return with_libraries(root, paths, told)
