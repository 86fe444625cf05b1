"""From lab file and ~/.ssh/config to endpoints."""

import getpass
from pathlib import Path

import pytest

from kubert_tui.base.errors import LabFileError, UsageError
from kubert_tui.hosts.ssh_config import Endpoint, endpoint_of, parse_destination
from kubert_tui.lab.model import HostSpec, Lab


def configure(text: str, name: str = "config") -> None:
    directory = Path.home() / ".ssh"
    directory.mkdir(exist_ok=True)
    (directory / name).write_text(text)


def resolve(*specs: HostSpec) -> Endpoint:
    return endpoint_of(specs[0], {spec.name: spec for spec in specs})


def places(endpoint: Endpoint) -> list[str]:
    return [f"{hop.user}@{hop.address}:{hop.port}" for hop in (*endpoint.jumps, endpoint)]


ME = getpass.getuser()


def test_without_configuration() -> None:
    endpoint = resolve(HostSpec(name="alpha"))
    assert (endpoint.name, endpoint.address, endpoint.port) == ("alpha", "alpha", 22)
    assert endpoint.user == ME
    assert endpoint.identity_files == ()
    assert endpoint.jumps == ()


def test_the_lab_itself_says_where_jump_hosts_are() -> None:
    far, near = HostSpec(name="far", jump="near"), HostSpec(name="near", address="192.0.2.1")
    assert endpoint_of(far, Lab(hosts=(far, near))).jumps[0].address == "192.0.2.1"


def test_the_configuration_fills_in() -> None:
    configure(
        "Host alpha\n HostName 192.0.2.7\n Port 2222\n User ops\n IdentityFile ~/.ssh/lab\n"
        " IdentitiesOnly yes\n HostKeyAlias rack-7\n"
    )
    endpoint = resolve(HostSpec(name="alpha"))
    assert places(endpoint) == ["ops@192.0.2.7:2222"]
    assert endpoint.identity_files == (Path.home() / ".ssh/lab",)
    assert endpoint.identities_only
    assert endpoint.known_as == "rack-7"


def test_the_lab_file_wins() -> None:
    configure(
        "Host 192.0.2.1\n Port 2222\n User ops\n IdentityFile ~/.ssh/lab\n ProxyJump bastion\n"
    )
    spec = HostSpec(
        name="alpha", address="192.0.2.1", port=22, user="root", identity_file="~/key", jump="b"
    )
    endpoint = resolve(spec, HostSpec(name="b", address="192.0.2.2", jump="c@192.0.2.3:23"))
    assert endpoint.identity_file == Path.home() / "key"
    assert endpoint.identity_files == (Path.home() / ".ssh/lab",)
    assert places(endpoint) == ["c@192.0.2.3:23", f"{ME}@192.0.2.2:22", "root@192.0.2.1:22"]


@pytest.mark.parametrize(
    ("address", "port", "known_as"),
    [
        ("192.0.2.1", 22, "192.0.2.1"),
        ("192.0.2.1", 2222, "[192.0.2.1]:2222"),
        ("2001:db8::1", 22, "2001:db8::1"),
        ("[2001:db8::1]", 22, "2001:db8::1"),
        ("2001:db8::1", 2222, "[2001:db8::1]:2222"),
    ],
)
def test_names_in_known_hosts(address: str, port: int, known_as: str) -> None:
    assert resolve(HostSpec(name="alpha", address=address, port=port)).known_as == known_as


def test_jumps_of_the_lab_come_nearest_first() -> None:
    endpoint = resolve(
        HostSpec(name="far", address="192.0.2.3", jump="mid"),
        HostSpec(name="mid", address="192.0.2.2", user="m", jump="near"),
        HostSpec(name="near", address="192.0.2.1", user="n", port=23),
    )
    assert places(endpoint) == ["n@192.0.2.1:23", "m@192.0.2.2:22", f"{ME}@192.0.2.3:22"]
    assert [hop.name for hop in endpoint.jumps] == ["near", "mid"]
    assert all(hop.jumps == () for hop in endpoint.jumps)


def test_a_chain_of_jumps_in_ssh_config() -> None:
    configure(
        "Host far\n ProxyJump a,u@b:23,ssh://c:24\nHost a\n HostName 192.0.2.9\n User x\n"
        "Host b\n ProxyJump elsewhere\n"
    )
    assert places(resolve(HostSpec(name="far"))) == [
        "x@192.0.2.9:22",
        "u@b:23",
        f"{ME}@c:24",
        f"{ME}@far:22",
    ]


def test_a_jump_host_is_reached_as_its_own_configuration_says() -> None:
    configure("Host far\n ProxyJump mid\nHost mid\n ProxyJump near\n")
    assert places(resolve(HostSpec(name="far"))) == [
        f"{ME}@near:22",
        f"{ME}@mid:22",
        f"{ME}@far:22",
    ]


def test_none_turns_jump_and_command_off() -> None:
    configure(
        "Host far\n ProxyJump none\n ProxyCommand none\nHost *\n ProxyJump x\n ProxyCommand y\n"
    )
    endpoint = resolve(HostSpec(name="far"))
    assert endpoint.jumps == ()
    assert endpoint.proxy_command == ""


def test_tokens_of_a_proxy_command_mean_what_the_lab_file_says() -> None:
    configure("Host *\n ProxyCommand relay %h %p %r 100%% %n\n")
    endpoint = resolve(HostSpec(name="far", address="192.0.2.1", port=23, user="u"))
    assert endpoint.proxy_command == "relay 192.0.2.1 23 u 100% 192.0.2.1"


def test_a_jump_of_the_lab_file_goes_before_a_proxy_command() -> None:
    configure("Host far\n ProxyCommand relay %h %p\n")
    endpoint = resolve(HostSpec(name="far", jump="near.example"))
    assert endpoint.proxy_command == ""
    assert [hop.address for hop in endpoint.jumps] == ["near.example"]


def test_included_files_are_read_in_their_places() -> None:
    configure("Host alpha\n User one\n", "first.conf")
    configure("Include first.conf absent.conf\nHost alpha\n User two\n Port 23\n")
    endpoint = resolve(HostSpec(name="alpha"))
    assert (endpoint.user, endpoint.port) == ("one", 23)


def test_a_block_goes_on_after_an_include() -> None:
    configure("Host other\n User one\n", "first.conf")
    configure("Host alpha\n Include first.conf\n User two\n")
    assert resolve(HostSpec(name="alpha")).user == "two"
    assert resolve(HostSpec(name="beta")).user == ME


def test_files_that_include_each_other_end() -> None:
    configure("Include config\nHost alpha\n User one\n")
    assert resolve(HostSpec(name="alpha")).user == "one"


@pytest.mark.parametrize(
    "specs",
    [
        (HostSpec(name="a", jump="a"),),
        (HostSpec(name="a", jump="b"), HostSpec(name="b", jump="a")),
        (HostSpec(name="a", jump="b"), HostSpec(name="b", jump="c"), HostSpec(name="c", jump="a")),
    ],
)
def test_circles_are_refused(specs: tuple[HostSpec, ...]) -> None:
    with pytest.raises(LabFileError, match="in a circle: a"):
        resolve(*specs)


def test_circles_of_ssh_config_are_refused() -> None:
    configure("Host a\n ProxyJump b\nHost b\n ProxyJump a\n")
    with pytest.raises(LabFileError, match="in a circle"):
        resolve(HostSpec(name="a"))


def test_a_local_host_is_no_jump_host() -> None:
    with pytest.raises(LabFileError, match="here is local"):
        resolve(HostSpec(name="a", jump="here"), HostSpec(name="here", connection="local"))


@pytest.mark.parametrize("line", ["Port many", "Host 'open", "Match", "Port"])
def test_configuration_that_makes_no_sense(line: str) -> None:
    configure(f"{line}\n")
    with pytest.raises(UsageError, match=r"~/\.ssh/config cannot be used"):
        resolve(HostSpec(name="a"))


@pytest.mark.parametrize(
    "line",
    [
        "HostName -oProxyCommand=x",
        "HostName h ssh-rsa AAAA",
        "HostName h,*",
        "HostName *",
        "User -l",
        "User u u",
        "HostKeyAlias a b",
        "HostKeyAlias @revoked",
    ],
)
def test_odd_names_are_refused(line: str) -> None:
    configure(f"Host a\n {line}\n")
    with pytest.raises(LabFileError, match="of a host"):
        resolve(HostSpec(name="a"))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("host", ("", "host", 0)),
        ("user@host", ("user", "host", 0)),
        ("user@host:2222", ("user", "host", 2222)),
        ("ssh://user@host:2222/", ("user", "host", 2222)),
        ("[2001:db8::1]:23", ("", "2001:db8::1", 23)),
        ("u@[2001:db8::1]", ("u", "2001:db8::1", 0)),
        ("2001:db8::1", ("", "2001:db8::1", 0)),
        ("u@d@host", ("u@d", "host", 0)),
    ],
)
def test_destinations(text: str, parts: tuple[str, str, int]) -> None:
    assert parse_destination(text) == parts


@pytest.mark.parametrize("text", ["", "@", "u@", ":22", "h:", "h:x", "h:0", "h:65536", "-x"])
def test_no_destinations(text: str) -> None:
    with pytest.raises(LabFileError, match="is no jump host"):
        parse_destination(text, "a")
