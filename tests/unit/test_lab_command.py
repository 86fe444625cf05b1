"""`kubert-tui lab`, `--set`, finding labs, writing them and their schema."""

import argparse
import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kubert_tui.base import paths
from kubert_tui.base.errors import ExitCode, LabFileError, UsageError
from kubert_tui.cli import lab_command
from kubert_tui.lab.builtin import local_lab
from kubert_tui.lab.causes import CausesSpec
from kubert_tui.lab.find import find_lab
from kubert_tui.lab.load import load_lab, parse_lab
from kubert_tui.lab.model import CyclictestSpec, HostSpec, KernelSpec, Lab, Permission, RpmPackage
from kubert_tui.lab.overrides import override
from kubert_tui.lab.schema import schema
from kubert_tui.lab.write import dump_lab, write_lab

TWINS = Lab(
    name="twins",
    hosts=(
        HostSpec(name="bull1", address="192.168.11.1", user="root"),
        HostSpec(name="bull2.lab", address="::1", port=2222, jump="bull1", sudo="no"),
    ),
    allow=frozenset(Permission),
    kernel=KernelSpec(
        preset="ccrma-5.10-fc33",
        packages=(RpmPackage(url="https://host/kernel.rpm", sha256="a" * 64),),
    ),
    cyclictest=CyclictestSpec(
        preset="readme", duration="10m", cpus="2-15", mlockall=False, breaktrace="100us"
    ),
    causes=CausesSpec(hwlat="2m", limit="20"),
)


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    lab_command.add_parser(parser.add_subparsers(dest="command"))
    return lab_command.run(parser.parse_args(["lab", *arguments]))


@pytest.mark.parametrize("lab", [TWINS, local_lab()])
@pytest.mark.parametrize("complete", [False, True])
def test_written_labs_read_back(lab: Lab, complete: bool) -> None:
    assert parse_lab(dump_lab(lab, complete=complete), "x.yaml") == lab


WORD = st.sampled_from(
    ["null", "Null", "~", "yes", "1:30", "2.10", "a: b", "#x", "-", "ü", "'", '"']
)
TEXT = WORD | st.text(st.characters(categories=("L", "N", "P", "S")), max_size=12)


@given(directory=TEXT, loops=st.integers(1, 10**9), interval=st.integers(20, 10**6))
def test_any_text_survives_writing(directory: str, loops: int, interval: int) -> None:
    lab = Lab(
        hosts=(HostSpec(name="null", identity_file=directory),),
        cyclictest=CyclictestSpec(loops=loops, interval=interval),
    )
    assert parse_lab(dump_lab(lab), "x.yaml") == lab


def test_quick_with_its_own_loops_keeps_them_as_loops() -> None:
    lab = local_lab().model_copy(update={"cyclictest": CyclictestSpec(loops=300_000)})
    assert parse_lab(dump_lab(lab), "x.yaml").cyclictest.duration == ""


def test_written_private_and_never_over_another_file(tmp_path: Path) -> None:
    path = tmp_path / "lab.yaml"
    write_lab(TWINS, path)
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(UsageError, match="exists"):
        write_lab(local_lab(), path)
    assert load_lab(path) == TWINS
    write_lab(local_lab(), path, overwrite=True)
    assert load_lab(path) == local_lab()


def test_find_by_name_by_path_and_built_in(tmp_path: Path) -> None:
    write_lab(TWINS, paths.config() / "labs" / "twins.yaml")
    write_lab(TWINS, tmp_path / "other.yaml")
    assert find_lab(None).lab == find_lab("local").lab == local_lab()
    assert find_lab(None).path is None
    assert find_lab("twins").path == paths.config() / "labs" / "twins.yaml"
    assert find_lab(str(tmp_path / "other.yaml")).lab == TWINS
    with pytest.raises(LabFileError) as caught:
        find_lab("twin")
    assert "there are: local, twins" in caught.value.what
    assert "did you mean twins?" in caught.value.fix
    with pytest.raises(LabFileError, match="there is no lab file"):
        find_lab("./twins")


def test_settings_change_single_values() -> None:
    lab = override(
        TWINS,
        ["hosts.bull2.lab.port=22", "allow=packages, reboot", "cyclictest.loops=9", "name=x"],
    )
    assert lab.host("bull2.lab").port == 22
    assert lab.allow == {Permission.PACKAGES, Permission.REBOOT}
    assert (lab.cyclictest.loops, lab.cyclictest.duration, lab.name) == (9, "", "x")
    assert override(TWINS, []) == TWINS
    assert override(TWINS, ["allow="]).allow == frozenset()
    assert override(TWINS, ["kernel.source=distribution"]).kernel == KernelSpec()
    assert override(local_lab(), ["kernel.preset=ccrma-5.10-fc33"]).kernel.source == "packages"


@pytest.mark.parametrize(
    ("settings", "loops"),
    [
        (["cyclictest.duration=5s"], 25_000),
        (["cyclictest.interval=100"], 6_000_000),
        (["cyclictest.preset=readme"], 36_000_000),
        (["cyclictest.duration=5s", "cyclictest.preset=readme"], 25_000),
        (["cyclictest.duration=5s", "cyclictest.loops=4"], 4),
        (["cyclictest.loops=4", "cyclictest.duration=5s", "cyclictest.interval=1000"], 5_000),
    ],
)
def test_duration_and_loops_replace_each_other(settings: list[str], loops: int) -> None:
    assert override(TWINS, settings).cyclictest.loops == loops


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("foo", "expected KEY=VALUE"),
        ("=5", "expected KEY=VALUE"),
        ("cyclictest.prority=5", "did you mean priority?"),
        ("cyclictest.priority=high", "expected a whole number, got `high`"),
        ("cyclictest.duration=5", "expected a unit"),
        ("cyclictest.duration=3000d", "expected a shorter measurement"),
        ("cyclictest=5", "not a single value"),
        ("hosts=5", "not a single value"),
        ("hosts.bull1=5", "not a single value"),
        ("hosts.bul1.port=5", "did you mean bull1?"),
        ("hosts.bull1.port.x=5", "no such key"),
        ("hosts.bull1.jump=bull2.lab", "round in a circle"),
        ("kernel.packages.url=5", "a list cannot be set in parts"),
        ("allow=everything", "expected 'packages'"),
        ("\x1b[31m=5", "unknown key"),
    ],
)
def test_settings_that_do_not_fit(setting: str, expected: str) -> None:
    with pytest.raises(UsageError) as caught:
        override(TWINS, ["name=fine", setting])
    text = str(caught.value)
    assert text.startswith("--set ")
    assert expected in text
    assert "name=fine" not in text
    assert "\x1b" not in text


def test_schema_accepts_and_refuses_what_the_loader_does() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(schema())
    validator.check_schema(schema())
    for lab in (TWINS, local_lab()):
        # Without the preset's own packages there is nothing without a checksum in it.
        assert list(validator.iter_errors(yaml.safe_load(dump_lab(lab)))) == []
    refused: list[dict[str, object]] = [
        {},
        {"hosts": []},
        {"hosts": [{"name": "a", "bogus": 1}]},
        {"hosts": [{"name": "a"}], "cyclictest": {"loops": 5, "duration": "5s"}},
        {"hosts": [{"name": "a"}], "kernel": {"packages": [{"url": "https://host/a.rpm"}]}},
    ]
    for bad in refused:
        assert list(validator.iter_errors(bad)), bad


def test_init_writes_what_check_and_show_accept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bulls.yaml"
    hosts = ["--host", "bull1=root@192.168.11.1", "--host", "bull2=[::1]:2222", "--host", "bull3"]
    assert run("init", "--output", str(path), *hosts, "--user", "op", "--allow", "kernel") == 0
    lab = load_lab(path)
    assert [(h.name, h.address, h.port, h.user) for h in lab.hosts] == [
        ("bull1", "192.168.11.1", 0, "root"),
        ("bull2", "::1", 2222, "op"),
        ("bull3", "", 0, "op"),
    ]
    assert lab.name == "bulls"
    assert lab.allow == {Permission.KERNEL}
    capsys.readouterr()
    assert run("check", str(path)) == ExitCode.OK
    assert capsys.readouterr().out == f"{path}: ok (bulls: 3 hosts, allowed: kernel)\n"
    assert run("show", str(path), "--set", "cyclictest.duration=5s") == ExitCode.OK
    assert parse_lab(capsys.readouterr().out, "x").cyclictest.loops == 25_000
    with pytest.raises(UsageError, match="exists"):
        run("init", "--output", str(path))


def test_init_without_anything_is_the_local_lab(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("init") == ExitCode.OK
    assert parse_lab(capsys.readouterr().out, "x.yaml").hosts == local_lab().hosts


@pytest.mark.parametrize(
    "arguments",
    [["--host", "=x"], ["--host", "a=b:c:zz"], ["--host", "a", "--host", "a"], ["--allow", "all"]],
)
def test_init_refuses(arguments: list[str]) -> None:
    with pytest.raises(UsageError):
        run("init", *arguments)


def test_check_tells_every_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    write_lab(local_lab(), good)
    bad.write_text("hosts:\n  - nam: a\n", encoding="utf-8")
    assert run("check", str(bad), str(good)) == ExitCode.LAB_FILE
    output = capsys.readouterr()
    assert f"{bad}:2: hosts[0].nam: unknown key" in output.err
    assert "good.yaml: ok" in output.out


def test_schema_is_printed_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("schema") == ExitCode.OK
    assert json.loads(capsys.readouterr().out) == schema()
