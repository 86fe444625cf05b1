"""What a machine reads at its first start, the keys in it, and how its host is reached."""

import io
import shlex
from pathlib import Path

import paramiko
import yaml
from pycdlib import PyCdlib

from kubert_tui.base import paths
from kubert_tui.hosts.known_hosts import known_keys, our_file, remember
from kubert_tui.lab.load import parse_lab
from kubert_tui.machines import keys
from kubert_tui.machines.address import uri_of
from kubert_tui.machines.lifecycle import leftovers_here
from kubert_tui.machines.seed import LABEL, seed_digest, seed_files, seed_image
from tests.support.machine_cases import guest


def files_of(**keys_: str) -> dict[str, str]:
    one = guest(**keys_)
    return seed_files(one, keys.login_key(one.lab), keys.host_key(one))


def test_a_seed_says_who_the_machine_is() -> None:
    one = guest()
    files = files_of()
    user = yaml.safe_load(files["user-data"])
    assert files["user-data"].startswith("#cloud-config\n")
    assert user["hostname"] == "one"
    assert user["users"] == [
        {
            "name": "root",
            "lock_passwd": True,
            "ssh_authorized_keys": [keys.login_key("twins").public],
        }
    ]
    assert user["ssh_pwauth"] is False
    (file,) = user["write_files"]
    assert "PasswordAuthentication no" in file["content"].splitlines()
    assert {"password", "passwd", "chpasswd", "hashed_passwd"}.isdisjoint(user)
    private = user["ssh_keys"]["ed25519_private"]
    shown = paramiko.Ed25519Key.from_private_key(io.StringIO(private))
    assert f"{shown.get_name()} {shown.get_base64()}" == user["ssh_keys"]["ed25519_public"]
    network = yaml.safe_load(files["network-config"])
    (card,) = network["ethernets"].values()
    assert card["match"] == {"macaddress": one.mac}
    assert card["addresses"] == ["192.168.77.10/24"]
    assert card["routes"] == [{"to": "0.0.0.0/0", "via": "192.168.77.1"}]
    assert card["nameservers"] == {"addresses": ["192.168.77.1"]}


def test_no_way_out_is_none() -> None:
    network = yaml.safe_load(files_of(network="gateway: none")["network-config"])
    (card,) = network["ethernets"].values()
    assert "routes" not in card
    assert "nameservers" not in card


def test_a_seed_is_the_same_until_something_changes() -> None:
    assert files_of() == files_of()
    for changed in ("address: 192.168.77.40", "network: bridge, address: 192.168.77.40"):
        other = files_of(machine=changed)
        assert seed_digest(other) != seed_digest(files_of())
        names = [yaml.safe_load(one["meta-data"])["instance-id"] for one in (files_of(), other)]
        assert names[0] != names[1]


def test_the_image_is_what_cloud_init_looks_for() -> None:
    files = files_of()
    image = PyCdlib()
    image.open_fp(io.BytesIO(seed_image(files)))
    assert image.pvd.volume_identifier.decode().strip() == LABEL
    for kind in ("rr_path", "joliet_path"):
        for name, content in files.items():
            read = io.BytesIO()
            image.get_file_from_iso_fp(read, **{kind: f"/{name}"})
            assert read.getvalue().decode() == content
    image.close()


def test_keys_are_private_known_beforehand_and_forgotten() -> None:
    one = guest()
    remember("elsewhere", "ssh-ed25519", b"blob")
    before = our_file().read_text()
    keys.introduce("twins", (one,))
    (known,) = known_keys("192.168.77.10", [our_file()])
    kind, blob = keys.host_key(one).public.split()
    assert known.key_type == kind
    assert paramiko.Ed25519Key(data=known.blob).get_base64() == blob
    files = keys.kept("twins")
    assert {path.name for path in files} == {"one.host-key"}
    login = keys.login_key("twins")
    assert keys.login_key_file("twins").read_text() == login.private
    assert {path.stat().st_mode & 0o777 for path in keys.kept("twins")} == {0o600}
    assert (paths.state() / "machines" / "twins").stat().st_mode & 0o777 == 0o700
    assert login.private not in repr(login)
    assert len(leftovers_here("twins")) == 3
    keys.forget("twins")
    assert leftovers_here("twins") == ()
    assert our_file().read_text() == before
    assert keys.login_key("twins").public != login.public


def test_libvirt_is_reached_as_the_lab_file_says(tmp_path: Path) -> None:
    lab = parse_lab(
        "hosts:\n  - {name: here, connection: local}\n  - {name: gate, port: 2200, user: ops}\n"
        "  - {name: bull1, address: 10.0.0.1, user: root, jump: gate, identity_file: /k y}\n",
        "lab.yaml",
    )
    with uri_of(lab.host("here"), lab) as uri:
        assert uri == "qemu:///system"
    with uri_of(lab.host("bull1"), lab) as uri:
        address, _, query = uri.partition("?")
        assert address == "qemu+ssh://root@10.0.0.1:22/system"
        options = dict(one.split("=") for one in query.split("&"))
        assert options["no_tty"] == "1"
        program = Path(options["command"])
        argv = shlex.split(program.read_text().splitlines()[1])
        assert program.stat().st_mode & 0o777 == 0o700
        assert "no_verify" not in uri
    assert not program.parent.exists()
    assert argv[:2] == ["exec", "ssh"]
    assert argv[-1] == "$@"
    assert f'UserKnownHostsFile="{our_file()}"' in argv
    assert "StrictHostKeyChecking=yes" in argv
    assert "BatchMode=yes" in argv
    assert argv[argv.index("-i") + 1] == "/k y"
    (proxy,) = [one for one in argv if one.startswith("ProxyCommand=")]
    assert "-l ops" in proxy
    assert "2200" in proxy
