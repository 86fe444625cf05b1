"""The inventory: what reaches ssh and Ansible, literally, whatever the names and paths are."""

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from kubert_tui.ansible.groups import groups_of
from kubert_tui.ansible.inventory import inventory, inventory_yaml, needs_sudo
from kubert_tui.ansible.playbooks import playbook_command
from kubert_tui.ansible.request import HostSecrets, PlaybookRequest
from kubert_tui.base.errors import LabFileError, UsageError
from kubert_tui.base.secrets import Secret, redactor
from kubert_tui.lab.model import HostSpec, Lab

KNOWN = Path("/state of things/known_hosts")


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    """Secrets of one test must not mask the words of the next."""
    values = redactor._values
    yield
    redactor._values = values


class Loader(yaml.SafeLoader):
    """Reads `!unsafe` as a marked string."""


class Unsafe(str):
    __slots__ = ()


def construct_unsafe(loader: yaml.SafeLoader, node: yaml.Node) -> Unsafe:
    assert isinstance(node, yaml.ScalarNode)
    return Unsafe(loader.construct_scalar(node))


Loader.add_constructor("!unsafe", construct_unsafe)


def variables_of(request: PlaybookRequest, name: str, **options: str) -> dict[str, object]:
    hosts = inventory(request, KNOWN, **options)["all"]["hosts"]  # type: ignore[index, arg-type]
    values = hosts[name]
    assert isinstance(values, dict)
    return values


def options_of(values: dict[str, object]) -> dict[str, str]:
    words = shlex.split(str(values["ansible_ssh_common_args"]))
    assert words[::2] == ["-o"] * (len(words) // 2)
    found: dict[str, str] = {}
    for option in words[1::2]:
        key, _, value = option.partition("=")
        found.setdefault(key, value)  # ssh takes the first
    return found


def request(*hosts: HostSpec, **changes: object) -> PlaybookRequest:
    return PlaybookRequest(playbook="reboot.yml", hosts=hosts, **changes)  # type: ignore[arg-type]


def ssh_config(line: str) -> PlaybookRequest:
    """A request for host `a` of which ~/.ssh/config says `line`: past the lab file's checks."""
    directory = Path.home() / ".ssh"
    directory.mkdir()
    (directory / "config").write_text(f"Host a\n User op\nHost a\n {line}\n")
    return request(HostSpec(name="a"))


def test_an_ssh_host_is_reached_as_the_lab_says() -> None:
    spec = HostSpec(name="a", address="192.0.2.1", port=2222, user="op", identity_file="~/key")
    values = variables_of(request(spec), "a")
    assert values["ansible_connection"] == "ssh"
    assert values["ansible_host"] == "192.0.2.1"
    assert values["ansible_port"] == 2222
    assert values["ansible_user"] == "op"
    assert values["ansible_ssh_private_key_file"] == str(Path.home() / "key")
    assert values["ansible_become"] is True
    options = options_of(values)
    assert options["StrictHostKeyChecking"] == "yes"
    assert options["UserKnownHostsFile"] == '"/state of things/known_hosts"'
    assert options["GlobalKnownHostsFile"] == "/dev/null"
    assert options["UpdateHostKeys"] == "no"
    assert options["ForwardAgent"] == "no"
    assert "ProxyCommand" not in options


def test_the_users_ssh_config_is_followed() -> None:
    directory = Path.home() / ".ssh"
    directory.mkdir()
    (directory / "config").write_text(
        "Host lab1\n HostName 192.0.2.9\n User alice\n Port 2200\n HostKeyAlias first\n"
        " IdentityFile ~/one\n IdentityFile ~/two\n IdentitiesOnly yes\n"
        "Host cloud\n ProxyCommand tunnel --to %h:%p\n"
    )
    values = variables_of(request(HostSpec(name="lab1"), HostSpec(name="cloud")), "lab1")
    assert (values["ansible_host"], values["ansible_port"]) == ("192.0.2.9", 2200)
    assert values["ansible_user"] == "alice"
    assert values["ansible_ssh_private_key_file"] == str(Path.home() / "one")
    options = options_of(values)
    assert options["HostKeyAlias"] == '"first"'
    assert options["IdentitiesOnly"] == "yes"
    assert options["IdentityFile"] == f'"{Path.home() / "two"}"'
    cloud = variables_of(request(HostSpec(name="cloud")), "cloud")
    assert options_of(cloud)["ProxyCommand"] == "tunnel --to cloud:22"


def test_a_local_host_runs_on_the_systems_python() -> None:
    values = variables_of(request(HostSpec(name="here", connection="local", sudo="yes")), "here")
    assert values["ansible_connection"] == "local"
    assert values["ansible_become"] is True
    if Path("/usr/bin/python3").exists():
        assert values["ansible_python_interpreter"] == "/usr/bin/python3"
    assert not [key for key in values if "ssh" in key]


@pytest.mark.parametrize(
    ("sudo", "user", "wanted"),
    [("auto", "root", False), ("auto", "op", True), ("yes", "root", True), ("no", "op", False)],
)
def test_sudo(sudo: str, user: str, wanted: bool) -> None:
    spec = HostSpec.model_validate({"name": "a", "sudo": sudo, "user": user})
    assert needs_sudo(spec, user) is wanted


def test_local_sudo_follows_our_own_user(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = HostSpec(name="here", connection="local")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert needs_sudo(spec)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert not needs_sudo(spec)


def test_each_jump_host_is_held_to_our_known_hosts() -> None:
    near = HostSpec(name="near", address="192.0.2.1", port=2201, user="j", identity_file="/k e/y")
    far = HostSpec(name="far", address="2001:db8::1", user="j", jump="near")
    target = HostSpec(name="t", address="192.0.2.3", user="op", jump="far")
    values = variables_of(request(target, jump_hosts={"near": near, "far": far}), "t")
    outer = shlex.split(expanded(options_of(values)["ProxyCommand"], "192.0.2.3", "22"))
    assert outer[0] == "ssh"
    assert outer[-3:] == ["-W", "[192.0.2.3]:22", "2001:db8::1"]
    inner_command = next(word for word in outer if word.startswith("ProxyCommand="))
    inner = shlex.split(expanded(inner_command.partition("=")[2], "2001:db8::1", "22"))
    assert inner[-3:] == ["-W", "[2001:db8::1]:22", "192.0.2.1"]
    assert inner[inner.index("-p") + 1] == "2201"
    assert 'IdentityFile="/k e/y"' in inner
    for argv in (outer, inner):
        assert 'UserKnownHostsFile="/state of things/known_hosts"' in argv
        assert "StrictHostKeyChecking=yes" in argv
        assert "BatchMode=yes" in argv


def expanded(command: str, host: str, port: str) -> str:
    """As ssh expands the tokens of a ProxyCommand."""
    marked = command.replace("%%", "\0")
    return marked.replace("%h", host).replace("%p", port).replace("\0", "%")


def test_paths_are_taken_literally() -> None:
    path = '/odd "dir"/100%h \\key'
    values = variables_of(request(HostSpec(name="a", user="op", identity_file=path)), "a")
    assert values["ansible_ssh_private_key_file"] == '/odd \\"dir\\"/100%%h \\\\key'


def test_the_agent_is_for_hosts_with_passphrases_only() -> None:
    one, two = HostSpec(name="one", user="op"), HostSpec(name="two", user="op")
    secrets = {"one": HostSecrets(passphrases={"/key": Secret("canary")})}
    wanted = request(one, two, secrets=secrets)
    with_agent = options_of(variables_of(wanted, "one", agent_socket="/run/a b"))
    assert with_agent["IdentityAgent"] == '"/run/a b"'
    assert "IdentityAgent" not in options_of(variables_of(wanted, "two", agent_socket="/run/a b"))


@pytest.mark.parametrize("address", ["-oProxyCommand=x", "a b", "a;b", "$(x)", "{{ x }}"])
def test_addresses_that_ssh_could_misread_are_refused(address: str) -> None:
    with pytest.raises(LabFileError) as caught:
        inventory(ssh_config(f"HostName {address}"), KNOWN)
    assert caught.value.host == "a"


@pytest.mark.parametrize("user", ["-l", 'a"b', "a b", "{{x}}"])
def test_logins_that_ssh_could_misread_are_refused(user: str) -> None:
    directory = Path.home() / ".ssh"
    directory.mkdir()
    (directory / "config").write_text(f"Host a\n User {user}\n")
    with pytest.raises(LabFileError):
        inventory(request(HostSpec(name="a")), KNOWN)


@pytest.mark.parametrize("jump", ["a b@c", "-x", "x:y:z@", "h:99999", "$(x)"])
def test_bad_jump_hosts_are_refused(jump: str) -> None:
    with pytest.raises(LabFileError):
        inventory(ssh_config(f"ProxyJump {jump}"), KNOWN)


def test_jumps_in_a_circle_are_refused() -> None:
    one, two = HostSpec(name="one", jump="two"), HostSpec(name="two", jump="one")
    with pytest.raises(LabFileError):
        inventory(request(one, two), KNOWN)


def test_a_host_named_like_ansibles_group_is_refused() -> None:
    with pytest.raises(UsageError):
        inventory(request(HostSpec(name="all", connection="local")), KNOWN)


def test_variables_are_literal_and_cannot_replace_the_connection() -> None:
    given = {
        "plain": "text",
        "template": "{{ lookup('pipe', 'id') }}",
        "header": "#jinja2:variable_start_string:'[%'\n[% x %]",
        "nested": [{"x": "{% set y %}"}],
        "number": 5,
        "truth": True,
        "nothing": None,
        "ansible_connection": "local",
    }
    spec = HostSpec(name="123", address="192.0.2.1", user="op")
    text = inventory_yaml(request(spec, variables={"123": given}), KNOWN)
    values = yaml.load(text, Loader)["all"]["hosts"]["123"]
    assert values["ansible_connection"] == "ssh"
    assert {key: values[key] for key in given if key != "ansible_connection"} == {
        key: value for key, value in given.items() if key != "ansible_connection"
    }
    assert isinstance(values["template"], Unsafe)
    assert isinstance(values["header"], Unsafe)
    assert isinstance(values["nested"][0]["x"], Unsafe)
    assert not isinstance(values["plain"], Unsafe)


def test_no_secret_is_in_the_inventory_or_the_command() -> None:
    secrets = HostSecrets(Secret("canary1"), Secret("canary2"), {"/key": Secret("canary3")})
    wanted = request(HostSpec(name="a", user="op"), secrets={"a": secrets}, check=True)
    command = playbook_command(wanted)
    assert "canary" not in inventory_yaml(wanted, KNOWN) + " ".join(command) + repr(wanted)
    assert command[:7] == (
        *("ansible-playbook", "-i", "inventory.yml"),
        *("--ask-pass", "--ask-become-pass", "--check", "--diff"),
    )
    assert command[7].endswith("/reboot.yml")


def test_hosts_are_grouped_by_equal_passwords() -> None:
    names = ("a", "b", "c", "d")
    hosts = tuple(HostSpec(name=name, user="op") for name in names)
    local = HostSpec(name="here", connection="local")
    secrets = {
        "a": HostSecrets(sudo=Secret("one")),
        "b": HostSecrets(sudo=Secret("two")),
        "c": HostSecrets(sudo=Secret("one"), passphrases={"/k": Secret("phrase")}),
        "here": HostSecrets(login=Secret("not asked for here")),
    }
    groups = groups_of(request(*hosts, local, secrets=secrets), Lab(hosts=hosts))
    found = [tuple(spec.name for spec in group.request.hosts) for group in groups]
    assert found == [("a", "c"), ("b",), ("d", "here")]
    assert list(groups[0].passphrases) == ["/k"]
    assert groups[2].login is None


def test_a_jump_hosts_passphrase_belongs_to_those_who_jump() -> None:
    gate, inner = HostSpec(name="gate", user="op"), HostSpec(name="in", user="op", jump="gate")
    secrets = {"gate": HostSecrets(passphrases={"/k": Secret("phrase")})}
    wanted = request(inner, jump_hosts={"gate": gate}, secrets=secrets)
    (group,) = groups_of(wanted)
    assert list(group.passphrases) == ["/k"]
    command = options_of(variables_of(wanted, "in", agent_socket="/run/a"))["ProxyCommand"]
    assert 'IdentityAgent="/run/a"' in shlex.split(command)
