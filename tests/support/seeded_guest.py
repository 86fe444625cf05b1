#!/usr/bin/python3
"""Process 1 of a small guest: what cloud-init and systemd would do, in a tenth of the time.

Reads the seed (NoCloud, on the volume labelled cidata) as cloud-init does, sets name, address and
keys, starts sshd, and switches off when the power button is pressed. Without a seed it is what a
Vagrant box starts as: an address by DHCP, and a user vagrant. `seeded_disk.py` puts it, PyYAML and
busybox onto a disk.
"""

import ctypes
import os
import subprocess
import threading
from pathlib import Path

import yaml

_EVENT = 24
_KEY_POWER = 116
_LEASED = """\
#!/bin/sh
[ "$1" = bound ] || exit 0
ip address replace "$ip/$mask" dev "$interface"
ip route replace default via "$router"
"""


def run(*argv: str) -> None:
    subprocess.run(argv, check=False)


def mount_all() -> None:
    run("mount", "-o", "remount,rw", "/")
    for kind, where in (("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev"),
                        ("devpts", "/dev/pts"), ("tmpfs", "/run"), ("tmpfs", "/tmp")):  # fmt: skip
        Path(where).mkdir(exist_ok=True)
        if not os.path.ismount(where):
            run("mount", "-t", kind, kind, where)
    for directory in ("/run/sshd", "/run/lock"):
        Path(directory).mkdir(exist_ok=True)


def set_up() -> None:
    run("modprobe", "-a", "isofs", "virtio_net", "evdev", "button")
    run("ip", "link", "set", "lo", "up")
    if not Path("/dev/vdb").exists():
        set_up_for_vagrant()
        return
    run("mount", "-t", "iso9660", "-o", "ro", "/dev/vdb", "/mnt")
    seed = Path("/mnt")
    user = yaml.safe_load((seed / "user-data").read_text())
    network = yaml.safe_load((seed / "network-config").read_text())["ethernets"]["lan"]
    run("umount", "/mnt")
    run("hostname", user["hostname"])
    Path("/etc/hostname").write_text(user["hostname"] + "\n")
    card = next(
        one.name
        for one in Path("/sys/class/net").iterdir()
        if (one / "address").read_text().strip() == network["match"]["macaddress"]
    )
    run("ip", "address", "add", network["addresses"][0], "dev", card)
    run("ip", "link", "set", card, "up")
    for route in network.get("routes", ()):
        run("ip", "route", "add", route["to"], "via", route["via"])
    keys = Path("/root/.ssh/authorized_keys")
    keys.parent.mkdir(mode=0o700, exist_ok=True)
    keys.write_text("\n".join(user["users"][0]["ssh_authorized_keys"]) + "\n")
    host_key = Path("/etc/ssh/ssh_host_ed25519_key")
    host_key.write_text(user["ssh_keys"]["ed25519_private"])
    host_key.chmod(0o600)
    for file in user["write_files"]:
        Path(file["path"]).write_text(file["content"])


def set_up_for_vagrant() -> None:
    (card,) = (one.name for one in Path("/sys/class/net").iterdir() if one.name != "lo")
    run("ip", "link", "set", card, "up")
    # /run may be mounted so that nothing in it is executed.
    leased = Path("/etc/leased")
    leased.write_text(_LEASED)
    leased.chmod(0o755)
    run("busybox", "udhcpc", "-i", card, "-s", str(leased), "-n", "-q", "-t", "20")
    if not Path("/home/vagrant").exists():
        run("useradd", "--create-home", "--shell", "/bin/bash", "vagrant")
        Path("/etc/sudoers.d/vagrant").write_text("vagrant ALL=(ALL) NOPASSWD: ALL\n")
        kept = Path("/home/vagrant/.ssh/authorized_keys")
        kept.parent.mkdir(mode=0o700)
        kept.write_text(Path("/etc/vagrant.pub").read_text())
        run("chown", "-R", "vagrant:", str(kept.parent))
    run("ssh-keygen", "-A")


def switch_off_on_button() -> None:
    """Listen to all keys there are; devices come when their drivers are ready."""
    known = set[Path]()
    while True:
        for path in set(Path("/dev/input").glob("event*")) - known:
            known.add(path)
            threading.Thread(target=listen, args=(path,), daemon=True).start()
        threading.Event().wait(1)


def listen(path: Path) -> None:
    with path.open("rb", buffering=0) as device:
        while data := device.read(_EVENT):
            if int.from_bytes(data[18:20], "little") == _KEY_POWER:
                print("seeded: switching off", flush=True)
                os.sync()
                Path("/proc/sysrq-trigger").write_text("u")
                Path("/proc/sysrq-trigger").write_text("o")


def main() -> None:
    mount_all()
    print("seeded: reading the seed", flush=True)
    set_up()
    threading.Thread(target=switch_off_on_button, daemon=True).start()
    subprocess.Popen(["/usr/sbin/sshd", "-D"])
    print("seeded: sshd listens", flush=True)
    Path("/run/seeded").touch()
    libc = ctypes.CDLL(None)
    while True:
        # Children of ours, and orphans.
        if libc.wait(None) < 0:
            threading.Event().wait(1)


os.environ["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"
main()
