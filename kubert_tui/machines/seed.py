"""What a machine reads at its first start (cloud-init, NoCloud): its name, address and keys.

No passwords: root logs in with the lab's key only. The host key is handed in, so that we know it
before the machine has ever run. Formats: cloud-init's documentation, datasource NoCloud,
network configuration version 2.
"""

import hashlib
import io

import yaml
from pycdlib import PyCdlib

from kubert_tui.machines.guest import Guest
from kubert_tui.machines.keys import KeyPair

LABEL = "cidata"
"""The volume label by which cloud-init finds it."""
_SSHD_FILE = "/etc/ssh/sshd_config.d/00-kubert-tui.conf"
_SSHD = "PasswordAuthentication no\nKbdInteractiveAuthentication no\n"


def seed_digest(files: dict[str, str]) -> str:
    """Return what tells one seed from another, 12 hex digits."""
    contents = "\0".join(files[name] for name in sorted(files))
    return hashlib.sha256(contents.encode()).hexdigest()[:12]


def seed_files(guest: Guest, login: KeyPair, host: KeyPair) -> dict[str, str]:
    """Return the files of a seed, name to content.

    The instance's id follows from them: cloud-init takes a machine whose seed was changed for a
    new one, and sets it up again.
    """
    user = {
        "hostname": guest.name,
        "preserve_hostname": False,
        "manage_etc_hosts": True,
        "disable_root": False,
        "ssh_pwauth": False,
        # The line above is carried out when sshd has been listening for a while.
        "write_files": [{"path": _SSHD_FILE, "permissions": "0600", "content": _SSHD}],
        "users": [{"name": "root", "lock_passwd": True, "ssh_authorized_keys": [login.public]}],
        "ssh_deletekeys": True,
        "ssh_keys": {"ed25519_private": host.private, "ed25519_public": host.public},
        "ssh": {"emit_keys_to_console": False},
        "package_update": False,
        "package_upgrade": False,
    }
    network = _network(guest)
    contents = {
        "user-data": f"#cloud-config\n{_yaml(user)}",
        "network-config": _yaml(network),
    }
    identity = {
        "instance-id": f"{guest.domain}-{seed_digest(contents)}",
        "local-hostname": guest.name,
    }
    return {"meta-data": _yaml(identity), **contents}


def seed_image(files: dict[str, str]) -> bytes:
    """Return `files` as an ISO 9660 image with Joliet and Rock Ridge names."""
    image = PyCdlib()
    image.new(interchange_level=3, vol_ident=LABEL, joliet=3, rock_ridge="1.09")
    for number, (name, content) in enumerate(sorted(files.items())):
        data = content.encode()
        image.add_fp(
            io.BytesIO(data), len(data), f"/FILE{number}.;1",
            rr_name=name, joliet_path=f"/{name}", file_mode=0o100400,
        )  # fmt: skip
    output = io.BytesIO()
    image.write_fp(output)
    image.close()
    return output.getvalue()


def _network(guest: Guest) -> dict[str, object]:
    net = guest.net
    card: dict[str, object] = {
        "match": {"macaddress": guest.mac},
        "set-name": "eth0",
        "dhcp4": False,
        "dhcp6": False,
        # Else its start waits for routers, and takes an address from whoever offers one.
        "accept-ra": False,
        "addresses": [f"{guest.spec.address}/{net.length}"],
    }
    if net.way_out:
        card["routes"] = [{"to": "0.0.0.0/0", "via": net.way_out}]
    if servers := net.dns or ((net.way_out,) if net.way_out else ()):
        card["nameservers"] = {"addresses": [*servers]}
    return {"version": 2, "ethernets": {"lan": card}}


def _yaml(data: object) -> str:
    return yaml.safe_dump(data, sort_keys=False, default_flow_style=False, width=10_000)
