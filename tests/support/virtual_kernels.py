"""Kernels for virtual machines: Debian's PREEMPT_RT one, and the same with something broken.

    repository = rt_repository(Kernel.GOOD)         # PANICS, MUTE, FULL
    with served(repository) as source:              # http, seen by guests only
        use_only(twins, "bull1", source)            # apt there knows nothing else now
        ...                                         # apt-get install linux-image-rt-amd64

GOOD, PANICS and MUTE are `linux-image-rt-amd64` and what it depends on, of the version that Debian
has now, less the drivers that a virtual machine has no devices for: under emulation unpacking all
of them takes minutes. The kernel itself is Debian's, byte for byte. FULL is Debian's packages.

- PANICS: its initramfs holds an `init` that fails, so the kernel panics ("Attempted to kill init").
- MUTE: boots, but has no driver for the network card.

All of it is kept in the cache, beside the image (see `tests.support.twins`), and fetched, once, by
an apt of our own: signatures are checked as ever.
"""

import hashlib
import http.server
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from pathlib import Path

from tests.support.twins import CACHE
from tests.support.virtual_twins import VirtualTwins

_SUITE = "bookworm"
_METAPACKAGE = "linux-image-rt-amd64"
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_SOURCES = f"""\
deb [signed-by={_KEYRING}] http://deb.debian.org/debian {_SUITE} main
deb [signed-by={_KEYRING}] http://deb.debian.org/debian {_SUITE}-updates main
deb [signed-by={_KEYRING}] http://security.debian.org/debian-security {_SUITE}-security main
"""
_DRIVERS = (
    "kernel/arch", "kernel/crypto", "kernel/lib", "kernel/kernel", "kernel/mm", "kernel/block",
    "kernel/fs/ext4", "kernel/fs/jbd2", "kernel/fs/autofs", "kernel/fs/fuse", "kernel/fs/overlayfs",
    "kernel/fs/configfs", "kernel/fs/mbcache.ko", "kernel/fs/nls", "kernel/fs/fat",
    "kernel/drivers/virtio", "kernel/drivers/block", "kernel/drivers/char", "kernel/drivers/md",
    "kernel/drivers/firmware", "kernel/drivers/acpi", "kernel/drivers/cpufreq",
    "kernel/drivers/net/virtio_net.ko", "kernel/drivers/net/net_failover.ko",
    "kernel/drivers/net/tun.ko", "kernel/drivers/net/veth.ko", "kernel/drivers/net/dummy.ko",
    "kernel/net/core", "kernel/net/ipv4", "kernel/net/ipv6", "kernel/net/netfilter",
    "kernel/net/bridge", "kernel/net/802", "kernel/net/8021q", "kernel/net/llc",
    "kernel/net/packet", "kernel/net/unix", "kernel/net/sched",
)  # fmt: skip
"""What is left of a kernel's modules: all a virtual machine may want."""
_NETWORK_CARD = "kernel/drivers/net/virtio_net.ko"
_HOOK = """\
#!/bin/sh
# This kernel is to panic as soon as its initramfs is there.
[ "$1" != prereqs ] || exit 0
[ "$version" = "{release}" ] || exit 0
printf '#!/bin/sh\\necho "{broken}"\\nexit 1\\n' >"$DESTDIR/init"
chmod 755 "$DESTDIR/init"
"""
BROKEN = "kubert-tui: this kernel is broken on purpose"
"""What PANICS says on the console before it does."""
_LIMIT = 900.0


class Kernel(StrEnum):
    """Which one; see above."""

    FULL = "full"
    GOOD = "good"
    PANICS = "panics"
    MUTE = "mute"


def rt_kernel_debs() -> list[Path]:
    """Debian's packages, verified: the kernel's, and the one that depends on it.

    The first call fetches about 70 MB; the network is needed then only.
    """
    target = CACHE / f"rt-kernel-{_digest(_SUITE, _SOURCES, _METAPACKAGE)}"
    if not target.is_dir():
        _finish(target, _download)
    return sorted(target.glob("*.deb"))


def rt_release() -> str:
    """What `uname -r` says on all of these kernels: `6.1.0-56-rt-amd64`."""
    (kernel,) = (deb for deb in rt_kernel_debs() if not deb.name.startswith(_METAPACKAGE))
    return kernel.name.partition("_")[0].removeprefix("linux-image-")


def rt_repository(kernel: Kernel) -> Path:
    """Return a directory that apt can use as a repository (`deb [trusted=yes] URL ./`)."""
    debs = rt_kernel_debs()
    recipe = _digest(Path(__file__).read_text(), *(deb.name for deb in debs))
    target = CACHE / f"rt-kernel-{kernel}-{recipe}"
    if not target.is_dir():
        _finish(target, partial(_repository, kernel, debs))
    return target


@contextmanager
def served(directory: Path) -> Iterator[str]:
    """Serve a directory on this computer's loopback; yields its address as a guest sees it."""
    handler = partial(_Quiet, directory=str(directory))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            # QEMU's user network: 10.0.2.2 is this computer.
            yield f"http://10.0.2.2:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def use_only(twins: VirtualTwins, name: str, source: str) -> None:
    """Make `source` the only place that a machine's apt knows, and have it look there."""
    line = f"deb [trusted=yes] {source} ./\n"
    script = "rm -f /etc/apt/sources.list.d/*; cat >/etc/apt/sources.list; apt-get -q update"
    twins.inside(name, "sh", "-c", script, stdin=line)


def install(twins: VirtualTwins, name: str, *debs: Path) -> None:
    """Put packages onto a machine and install them with dpkg."""
    for deb in debs:
        twins.put(name, deb, f"/root/{deb.name}")
    paths = [f"/root/{deb.name}" for deb in debs]
    twins.inside(name, "env", "DEBIAN_FRONTEND=noninteractive", "dpkg", "-i", *paths)
    twins.inside(name, "rm", *paths)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        return


def _download(target: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="kubert-apt-") as name:
        tree = Path(name)
        for directory in ("state/lists/partial", "cache/archives/partial", "etc"):
            (tree / directory).mkdir(parents=True)
        (tree / "status").touch()
        (tree / "etc/sources.list").write_text(_SOURCES)
        settings = {
            "Dir::State": tree / "state", "Dir::State::status": tree / "status",
            "Dir::Cache": tree / "cache", "Dir::Etc::sourcelist": tree / "etc/sources.list",
            "Dir::Etc::sourceparts": "/dev/null", "APT::Architecture": "amd64",
            "Acquire::Languages": "none", "APT::Sandbox::User": "root",
        }  # fmt: skip
        options = [f"-o{key}={value}" for key, value in settings.items()]
        _run("apt-get", *options, "-qq", "update")
        shown = _run("apt-cache", *options, "depends", "--important", _METAPACKAGE)
        needed = [line.split()[-1] for line in shown.splitlines() if "Depends: linux-image" in line]
        _run("apt-get", *options, "-qq", "download", _METAPACKAGE, *needed, cwd=target)


def _repository(kernel: Kernel, debs: Sequence[Path], target: Path) -> None:
    for deb in debs:
        if kernel is Kernel.FULL or deb.name.startswith(_METAPACKAGE):
            shutil.copyfile(deb, target / deb.name)
        else:
            _rebuild(kernel, deb, target / deb.name)
    (target / "Packages").write_text("\n".join(map(_entry, sorted(target.glob("*.deb")))))


def _rebuild(kernel: Kernel, deb: Path, target: Path) -> None:
    """Make `deb` smaller, and broken as `kernel` says."""
    with tempfile.TemporaryDirectory(prefix="kubert-kernel-") as name:
        tree = Path(name) / "tree"
        _run("dpkg-deb", "-R", str(deb), str(tree))
        (tree / "DEBIAN/md5sums").unlink()
        (modules,) = (tree / "lib/modules").iterdir()
        for module in modules.rglob("*.ko"):
            path = module.relative_to(modules)
            kept = any(path.is_relative_to(driver) for driver in _DRIVERS)
            if not kept or (kernel is Kernel.MUTE and str(path) == _NETWORK_CARD):
                module.unlink()
        if kernel is Kernel.PANICS:
            hook = tree / "usr/share/initramfs-tools/hooks/zz-kubert-broken"
            hook.parent.mkdir(parents=True, exist_ok=True)
            hook.write_text(_HOOK.format(release=modules.name, broken=BROKEN))
            hook.chmod(0o755)
        _run("dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "-b", str(tree), str(target))


def _entry(deb: Path) -> str:
    data = deb.read_bytes()
    control = _run("dpkg-deb", "-f", str(deb))
    digest = hashlib.sha256(data).hexdigest()
    return f"{control}Filename: ./{deb.name}\nSize: {len(data)}\nSHA256: {digest}\n"


def _finish(target: Path, make: Callable[[Path], None]) -> None:
    """Have `make` fill a directory that becomes `target` only when it is whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        make(fresh)
        fresh.rename(target)
    except BaseException:
        shutil.rmtree(fresh)
        raise


def _run(*argv: str, cwd: Path | None = None) -> str:
    done = subprocess.run(
        argv, cwd=cwd, capture_output=True, text=True, check=False, timeout=_LIMIT
    )
    if done.returncode:
        raise AssertionError(f"{argv}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
