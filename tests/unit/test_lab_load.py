"""A lab file is read, or every problem in it is told with file, line and key."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubert_tui.base.errors import ExitCode, LabFileError
from kubert_tui.lab.load import SIZE_LIMIT, load_lab, parse_lab
from kubert_tui.lab.model import Permission
from kubert_tui.lab.tree import NODE_LIMIT

TWINS = """\
name: twins
hosts:
  - name: bull1
    address: 192.168.11.1
    user: root
  - name: bull2
    jump: bull1
    port: 2222
allow: [packages, kernel]
rt_tests:
  version: 2.10
cyclictest:
  preset: readme
"""


def problems(text: str) -> list[str]:
    with pytest.raises(LabFileError) as caught:
        parse_lab(text, "lab.yaml")
    assert caught.value.exit_code is ExitCode.LAB_FILE
    return caught.value.what.split("\n")


def test_whole_file() -> None:
    lab = parse_lab(TWINS, "lab.yaml")
    assert (lab.name, [host.name for host in lab.hosts]) == ("twins", ["bull1", "bull2"])
    assert lab.allow == {Permission.PACKAGES, Permission.KERNEL}
    assert lab.host("bull2").port == 2222
    assert lab.cyclictest.loops == 36_000_000


def test_text_stays_as_it_was_written() -> None:
    lab = parse_lab("hosts: [{name: a, user: no, sudo: yes}]\nrt_tests: {version: 2.10}", "x.yaml")
    assert (lab.hosts[0].user, lab.hosts[0].sudo, lab.rt_tests.version) == ("no", "yes", "2.10")


def test_file_gives_the_lab_its_name(tmp_path: Path) -> None:
    path = tmp_path / "bulls.yaml"
    path.write_text("hosts: [{name: a}]\nkernel:\n", encoding="utf-8")
    assert load_lab(path).name == "bulls"


def test_all_problems_at_once_each_with_its_line() -> None:
    told = problems(
        "name: twins\n"
        "hosts:\n"
        "  - name: bull1\n"
        "    addres: 192.168.11.1\n"
        "    port: ssh\n"
        "    jump: bull2\n"
        "  - name: bull2\n"
        "    jump: bull1\n"
        "  - name: bull1\n"
        "allow: [kernal]\n"
        "priority: 5\n"
        "cyclictest:\n"
        "  duration: 5s\n"
        "  loops: 7\n"
        "  priority: 100\n"
    )
    assert [line.split(": ")[0] for line in told] == [
        f"lab.yaml:{number}" for number in (4, 5, 6, 8, 9, 10, 11, 14, 15)
    ]
    assert "hosts.bull1.addres: unknown key" in told[0]
    assert told[0].endswith("(did you mean address?)")
    assert told[1] == "lab.yaml:5: hosts.bull1.port: expected a whole number, got `ssh`"
    assert "bull1 -> bull2 -> bull1" in told[2]
    assert "another host is called bull1 already" in told[4]
    assert told[5].endswith("got `kernal` (did you mean kernel?)")
    assert told[6].endswith("(it belongs under `cyclictest:`)")
    assert told[7] == "lab.yaml:14: cyclictest.loops: expected loops or duration, not both"
    assert told[8] == "lab.yaml:15: cyclictest.priority: expected at most 99, got `100`"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "lab.yaml:1: the file is empty"),
        ("# only a comment\n", "lab.yaml:1: the file is empty"),
        ("- a\n- b\n", "lab.yaml:1: expected keys and values at the top"),
        ("just words", "lab.yaml:1: expected keys and values at the top"),
        ("name: a\n\thosts: b\n", "lab.yaml:2: while scanning"),
        ("name: a\nhosts: [1\n", "while parsing a flow sequence"),
        ("name: &a x\nhosts: *a\n", "lab.yaml:2: aliases are not supported (write the value out)"),
        ("name: a\n---\nname: b\n", "lab.yaml:2: expected a single document"),
        ("name: a\nname: b\n", "lab.yaml:2: name: given twice, first in line 1 (keep one)"),
        ("hosts: !!python/object/apply:os.system [id]\n", "lab.yaml:1: expected a plain value"),
        ("? [a]\n: b\n", "lab.yaml:1: expected a word as key"),
        ("name: \x00\n", "lab.yaml:1: expected text, got a control character"),
        ('name: "a\\e[31mb"\nhosts: [{name: a}]', "lab.yaml:1: name: expected letters"),
        ('hosts: [{name: a, identity_file: "\\e[31m"}]', "without control characters"),
        ("hosts:\n", "lab.yaml:1: hosts: missing, but required"),
        ("hosts: []\n", "lab.yaml:1: hosts: expected at least one, got an empty list"),
        ("hosts: {a: b}\n", "lab.yaml:1: hosts: expected a list, got keys and values"),
        ("hosts: [a]\n", "lab.yaml:1: hosts[0]: expected keys and values"),
        ("hosts: [{name: -x}]\n", "hosts.-x.name: expected letters, digits"),
        ("hosts: [{name: a, address: -oProxyCommand=x}]\n", "address: expected a host name"),
        ("hosts: [{name: a, user: -l}]\n", "user: expected a login name"),
        ("hosts: [{name: a, jump: -J}]\n", "jump: expected the name of another host"),
        ("hosts: [{name: a, jump: a}]\n", "jump: a cannot be reached through itself"),
        ("hosts: [{name: bull1}, {name: bull2, jump: bul1}]\n", "did you mean bull1?"),
        ("hosts: [{name: a, connection: local}, {name: b, jump: a}]", "a is this machine itself"),
        ("hosts: [{name: a}]\nallow: packages\n", "lab.yaml:2: allow: expected a list"),
        ("hosts: [{name: a}]\nkernel: {source: packages}\n", "expected packages or a preset"),
        ("hosts: [{name: a}]\nkernel: {preset: ccrma-fc33}\n", "did you mean ccrma-5.10-fc33?"),
        (
            "hosts: [{name: a}]\nkernel:\n  packages:\n    - url: http://h/k.rpm\n",
            "packages[0].sha256: missing, but required (compute it: curl -L http://h/k.rpm | sha",
        ),
        ("hosts: [{name: a}]\ncyclictest: {duration: 60}\n", "expected a unit: 60s, 60m or 60h"),
        ("hosts: [{name: a}]\ncyclictest: {duration: soon}\n", "expected a duration such as 60s"),
        ("hosts: [{name: a}]\ncyclictest: {cpus: 5-2}\n", "5-2 runs backwards"),
        (
            "hosts: [{name: a}]\ncyclictest:\n  interval: 20\n  duration: 300d\n",
            "lab.yaml:4: cyclictest.duration: expected a shorter measurement",
        ),
    ],
)
def test_one_problem(text: str, expected: str) -> None:
    with pytest.raises(LabFileError) as caught:
        parse_lab(text, "lab.yaml")
    assert expected in str(caught.value)
    assert str(caught.value).isprintable() or "\n" in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_files_built_to_exhaust_us(tmp_path: Path) -> None:
    bomb = "a: &a [1, 2]\nb: &b [*a, *a]\nc: [*b, *b]\n"
    assert problems(bomb)[0].startswith("lab.yaml:2: aliases are not supported")
    assert problems("[" * 100_000)[0].startswith("lab.yaml:1: nested too deeply")
    assert "too many values for a lab file" in problems("a: 1\n" * NODE_LIMIT)[0]
    large = tmp_path / "large.yaml"
    large.write_bytes(b"#" * (SIZE_LIMIT + 1))
    with pytest.raises(LabFileError, match="larger than 1 MiB"):
        load_lab(large)


def test_jump_outside_the_lab_is_fine() -> None:
    lab = parse_lab("hosts: [{name: bull1}, {name: b, jump: gate}, {name: c, jump: bul1:22}]", "x")
    assert [host.jump for host in lab.hosts] == ["", "gate", "bul1:22"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\x7fELF\x02\x01\x01\x00\x00", ":1: expected text, got binary data"),
        (b"name: a\nhosts: \xff\xfe\n", ":2: expected UTF-8 text"),
        ("name: a".encode("utf-16"), ":1: expected UTF-8 text"),
    ],
)
def test_files_that_are_no_text(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "lab.yaml"
    path.write_bytes(content)
    with pytest.raises(LabFileError, match=expected):
        load_lab(path)


def test_byte_order_mark_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "lab.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + TWINS.encode())
    assert load_lab(path).name == "twins"


def test_things_that_are_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path, tmp_path / "fifo", Path("/dev/zero")):
        with pytest.raises(LabFileError, match="is not a file"):
            load_lab(path)
    with pytest.raises(LabFileError, match="there is no lab file"):
        load_lab(tmp_path / "none.yaml")
    with pytest.raises(LabFileError, match="cannot be read"):
        load_lab(Path("a\0b"))


@given(st.text(max_size=200) | st.text(alphabet="ab:-[]{} \n\t#'\"&*!|>%@`,?0", max_size=60))
def test_any_text_is_a_lab_or_a_lab_file_error(text: str) -> None:
    try:
        parse_lab(text, "lab.yaml")
    except LabFileError as error:
        assert error.what.startswith("lab.yaml:")  # noqa: PT017


KEYS = ["name", "hosts", "allow", "kernel", "packages", "cyclictest", "jump", "loops", "url"]
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=8)


def lists_and_keys(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)


@given(st.recursive(LEAVES, lists_and_keys, max_leaves=20))
def test_any_structure_is_a_lab_or_a_lab_file_error(data: object) -> None:
    try:
        parse_lab(json.dumps(data), "lab.yaml")
    except LabFileError as error:
        assert error.what.startswith("lab.yaml:")  # noqa: PT017
