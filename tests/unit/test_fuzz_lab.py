"""Lab files nobody would write: refused with file and line, or read; never a traceback."""

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from kubert_tui.base.errors import ExitCode, LabFileError, UsageError
from kubert_tui.cli.main import main
from kubert_tui.cpus.plan import CpuPlan
from kubert_tui.lab.cpus import CpusSpec
from kubert_tui.lab.cyclictest import CyclictestSpec
from kubert_tui.lab.edit import with_plans
from kubert_tui.lab.load import SIZE_LIMIT, load_lab, parse_lab
from kubert_tui.lab.model import HostSpec, KernelSpec, Lab, Permission, RpmPackage, RtTestsSpec
from kubert_tui.lab.overrides import override
from kubert_tui.lab.presets import CYCLICTEST_PRESETS, KERNEL_PRESETS
from kubert_tui.lab.write import dump_lab
from tests.support.fuzzing import ESCAPES, LONG_CASES, cases, check_told, mutated, mutated_bytes

TWINS = """\
# Two servers.
name: twins
hosts:
  - name: bull1
    address: 192.168.11.1
    user: root
    identity_file: ~/.ssh/id_ed25519
  - name: bull2
    jump: bull1
    port: 2222
    sudo: yes
    cpus: {housekeeping: 0-1, isolated: "2-15,20"}
allow: [packages, kernel]
kernel:
  source: packages
  preset: ccrma-5.10-fc33
  packages:
    - url: https://host/path/kernel.rpm
      sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
rt_tests:
  version: 2.10
cyclictest:
  preset: readme
  cpus: 2-15,20
  duration: 1h30m
network:
  kind: bridge
  prefix: 192.168.11.5
  gateway: none
  dns: [192.168.11.2]
machines:
  - name: master
    role: control-plane
    memory: 8 GiB
  - name: worker
    host: bull2
    address: 192.168.11.60
    realtime: no
"""
FLOW = (
    '{name: "a", hosts: [{name: b, connection: local}], allow: [], cyclictest: {loops: 5},'
    " machines: {preset: upstream, workers: 1, hosts: [b]}}\n"
)
VALID = (TWINS, FLOW, dump_lab(parse_lab(TWINS, "x.yaml"), complete=True))
WORDS = (
    *("&a ", "*a", "<<: *a", "!!python/object:os.system ", "!<x> ", "%YAML 1.1\n---\n", "\n---\n"),
    *("? ", "- ", ": ", "{", "[", "}", "]", "|\n", ">-\n", "\t", '"', "'", "\\", "\r\n", "\ufeff"),
    *('"\\UFFFFFFFF"', '"\\ud800"', '"\\e[31m"', "name: ", "hosts:", "jump: bull2", "null", "~"),
)
PLAN = CpuPlan(frozenset({0, 1}), frozenset({2, 3, 8}))
OTHER = CpuPlan(frozenset({0}), frozenset())
NAME = "lab\x1b[31m.yaml"
SHOWN = "lab.yaml"


def judged(text: str) -> Lab | None:
    """Read `text`; fail on anything but a lab or an error that says where."""
    try:
        lab = parse_lab(text, NAME)
    except LabFileError as error:
        check_told(error, limit=200_000)
        last = len(re.findall("[\n\r\x85\u2028\u2029]", text)) + 1  # YAML's line ends
        for line in error.what.split("\n"):
            place = re.match(rf"{SHOWN}:(\d+): \S", line)
            assert place, line
            assert int(place[1]) <= last
        return None
    assert all(value.isprintable() for value in _texts(lab.model_dump(mode="json")))
    return lab


def _texts(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for pair in value.items() for item in pair for text in _texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return [value] if isinstance(value, str) else []


@cases(200, LONG_CASES)
@given(mutated(VALID, edits=3, words=WORDS))
def test_lab_files_with_mistakes(text: str) -> None:
    lab = judged(text)
    if lab is not None:
        assert parse_lab(dump_lab(lab), NAME) == lab


@cases(100, LONG_CASES)
@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=400))
@example("%YAML " + "1" * 5000 + ".1\n---\nhosts: []\n")
@example('name: "\\UFFFFFFFF"\nhosts: [{name: a}]\n')
@example('hosts: [{name: a}, {name: "a "}]\n')
def test_any_text(text: str) -> None:
    judged(text)


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["bull1", "bull2", "packages", "quick", "10m", "2-3", "9" * 500, *ESCAPES]),
)
KEYS = st.one_of(
    st.sampled_from(sorted({"nonsense", *Lab.model_fields, *HostSpec.model_fields})),
    st.sampled_from(sorted({*KernelSpec.model_fields, *CyclictestSpec.model_fields})),
    st.text(max_size=8),
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(KEYS, inner, max_size=6)),
    max_leaves=15,
)
WRITTEN = yaml.load(TWINS, yaml.BaseLoader)  # all text, as we read it


Place = tuple[str | int, ...]


def _places(tree: object, way: Place = ()) -> list[Place]:
    inside: list[tuple[str | int, object]] = []
    if isinstance(tree, dict):
        inside = list(tree.items())
    elif isinstance(tree, list):
        inside = list(enumerate(tree))
    return [way, *(place for key, value in inside for place in _places(value, (*way, key)))]


def _replaced(tree: object, place: Place, value: object) -> object:
    """Return `tree` with `value` at `place`; as it is if an earlier change took that away."""
    if not place:
        return value
    key, rest = place[0], place[1:]
    if isinstance(tree, dict) and key in tree:
        return {**tree, key: _replaced(tree[key], rest, value)}
    if isinstance(tree, list) and isinstance(key, int) and key < len(tree):
        return [*tree[:key], _replaced(tree[key], rest, value), *tree[key + 1 :]]
    return tree


CHANGES = st.lists(
    st.tuples(st.sampled_from(_places(WRITTEN)[1:]), st.one_of(SCALARS, TREES)), max_size=4
)


@cases(100, LONG_CASES)
@given(CHANGES, st.dictionaries(KEYS, SCALARS, max_size=1))
def test_files_of_the_right_form_with_the_wrong_content(
    changes: list[tuple[Place, object]], extra: dict[str, object]
) -> None:
    data: Any = WRITTEN
    for place, value in changes:
        data = _replaced(data, place, value)
    judged(yaml.safe_dump({**data, **extra}, allow_unicode=True))


@cases(100, LONG_CASES)
@given(st.one_of(mutated_bytes([text.encode() for text in VALID]), st.binary(max_size=200)))
def test_lab_check_of_any_bytes(content: bytes) -> None:
    path = Path.home() / "lab.yaml"
    path.write_bytes(content)
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        code = main(["lab", "check", str(path)])
    assert code == (ExitCode.LAB_FILE if errors.getvalue() else ExitCode.OK)
    for line in (out.getvalue() + errors.getvalue()).splitlines():
        assert re.match(rf"{re.escape(str(path))}:", line)
        assert line.isprintable()
    if code == ExitCode.OK:
        load_lab(path)


BOMBS = {
    "aliases": "a: &a [x]\n"
    + "".join(f"{c}: &{c} [*{p}, *{p}]\n" for p, c in zip("abcdef", "bcdefg", strict=True)),
    "merges": "a: &a {b: c}\n<<: [*a, *a]\n",
    "flow": "[" * (SIZE_LIMIT - 1),
    "blocks": "- " * (SIZE_LIMIT // 2 - 1),
    "braces": "{a: " * 20_000,
    "anchors": "&a " * 100_000,
    "values": "hosts: [" + "a," * 100_000 + "]",
    "digits": "hosts: [{name: a, port: " + "9" * 100_000 + "}]",
    "folded": "name: >\n" + " x\n" * 100_000,
    "misspelt jumps": "hosts:\n"
    + "".join(f"- {{name: host-number-{n:03}, jump: hots-nubmer-{n:03}}}\n" for n in range(990)),
    "a long way round": "hosts:\n"
    + "".join(f"- {{name: h{n}, jump: h{(n + 1) % 990}}}\n" for n in range(990)),
    "problems": "hosts: [{name: a}]\n" + "".join(f"key{n}: 1\n" for n in range(2400)),
    "cpus": 'hosts: [{name: a}]\ncyclictest: {cpus: "' + "1," * 400_000 + '1"}',
    "duration": 'hosts: [{name: a}]\ncyclictest: {duration: "' + "1s" * 400_000 + '"}',
    "stars": "hosts: [{name: a, address: " + "a" * 900_000 + "}]",
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", sorted(BOMBS))
def test_files_that_are_built_to_exhaust_us(name: str) -> None:
    lab = judged(BOMBS[name])
    assert lab is None or name == "misspelt jumps"


NAMES = st.from_regex(r"\A[A-Za-z0-9]([A-Za-z0-9._-]{0,20}[A-Za-z0-9])?\Z")
PRINTABLE = st.text(alphabet=st.characters(codec="utf-8").filter(str.isprintable), max_size=30).map(
    str.strip
)


@st.composite
def labs(draw: st.DrawFn) -> Lab:
    """Labs that are valid, with everything in them that may be."""
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    hosts = [
        HostSpec(
            name=name,
            connection="ssh",
            address=draw(
                st.sampled_from(["", "10.0.0.1", "fe80::1%eth0", "[::1]", "host.example"])
            ),
            port=draw(st.integers(0, 65535)),
            user=draw(st.sampled_from(["", "root", "no", "null", "_a@b", "x$"])),
            identity_file=draw(PRINTABLE),
            jump=draw(st.sampled_from(["", "me@jump.example:22", *names[:index]])),
            sudo=draw(st.sampled_from(["auto", "yes", "no"])),
            cpus=draw(st.sampled_from([CpusSpec(), CpusSpec.of(PLAN)])),
        )
        for index, name in enumerate(names)
    ]
    urls = st.builds(lambda path: f"https://host/{path}", st.text("abcXYZ0-9_%#'\"é&?", min_size=1))
    packages = st.lists(st.builds(RpmPackage, url=urls, sha256=st.just("0" * 64)), max_size=2).map(
        tuple
    )
    preset = draw(st.sampled_from(["", *KERNEL_PRESETS]))
    return Lab(
        name=draw(NAMES),
        hosts=tuple(hosts),
        allow=frozenset(draw(st.sets(st.sampled_from(Permission)))),
        kernel=KernelSpec(preset=preset, packages=draw(packages)),
        rt_tests=RtTestsSpec(
            version=draw(st.sampled_from(["default", "2.10", "1e3", "0x1", "stable/v1.0"])),
            directory=draw(PRINTABLE),
        ),
        cyclictest=CyclictestSpec.model_validate(
            {
                "preset": draw(st.sampled_from(sorted(CYCLICTEST_PRESETS))),
                "priority": draw(st.integers(1, 99)),
                "interval": draw(st.integers(20, 1_000_000)),
                "histogram": draw(st.integers(10, 100_000)),
                "mlockall": draw(st.booleans()),
                "cpus": draw(st.sampled_from(["", "0", "2-15,20", "isolated"])),
                **draw(
                    st.sampled_from(
                        [{}, {"loops": 7}, {"duration": "90s"}, {"duration": "0.5 H 3ms"}]
                    )
                ),
            }
        ),
    )


@cases(60, 2000)
@given(labs(), st.booleans())
def test_what_is_written_is_read_back(lab: Lab, complete: bool) -> None:
    assert parse_lab(dump_lab(lab, complete=complete), "x.yaml") == lab


@cases(60, 2000)
@given(labs(), st.data())
def test_a_plan_can_be_put_into_what_is_written(lab: Lab, data: st.DataObject) -> None:
    names = st.sampled_from([host.name for host in lab.hosts])
    plans = data.draw(st.dictionaries(names, st.sampled_from([PLAN, OTHER])))
    edited = with_plans(dump_lab(lab), plans, "x.yaml")
    assert parse_lab(edited, "x.yaml") == lab.with_plans(plans)


@cases(60, 2000)
@given(mutated(VALID, words=WORDS))
def test_a_plan_is_put_into_a_file_or_refused(text: str) -> None:
    try:
        lab = parse_lab(text, NAME)
    except LabFileError:
        return
    plans = {host.name: OTHER for host in lab.hosts}
    try:
        assert parse_lab(with_plans(text, plans, NAME), NAME) == lab.with_plans(plans)
    except LabFileError as error:
        check_told(error)


LAB = parse_lab(TWINS, "twins.yaml")
SETTINGS = ("hosts.bull1.port=22", "cyclictest.duration=5s", "allow=packages", "kernel.preset=x")


@cases(100)
@given(st.lists(mutated(SETTINGS, words=(".", "=", ",", "hosts.bull1", "cyclictest."))))
def test_overrides_are_taken_or_refused(settings: list[str]) -> None:
    try:
        override(LAB, settings)
    except UsageError as error:
        check_told(error)
