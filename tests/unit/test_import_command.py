"""Results of others: kept by `import`, and taken as they are by all that shows results."""

import json
from pathlib import Path

import pytest

from kubert_tui.base.errors import ExitCode
from kubert_tui.base.paths import imported
from kubert_tui.cli.main import main
from kubert_tui.latency.store import load

KEPT = Path(__file__).parents[1] / "fixtures" / "foreign"
OUTPUT = str(KEPT / "osadl-output.txt")
PACKED = str(KEPT / "osadl-output.txt.gz")
UNAME = "Linux rack 6.1.46-rt13 #1 SMP PREEMPT_RT Wed Aug 16 2023 x86_64 GNU/Linux"


def test_an_imported_result_is_one_of_ours(capsys: pytest.CaptureFixture[str]) -> None:
    command = "cyclictest -l100000000 -m -Sp90 -i200 -h400 -q"
    told = ["import", OUTPUT, "--command", command, "--uname", UNAME]
    assert main(told) == ExitCode.OK
    said = capsys.readouterr().out
    assert said.startswith("osadl-output: the worst of 6000 samples in 1 s took 217 us (smoke)")
    kept = load(imported() / "osadl-output.json")
    assert (kept.host, kept.lab, kept.interval) == ("rack", "imported", 200)
    # Another one of that name gets one of its own.
    assert main(told) == ExitCode.OK
    assert capsys.readouterr().out.startswith("osadl-output-2: ")
    assert main(["runs"]) == ExitCode.OK
    assert "osadl-output-2" in capsys.readouterr().out
    assert main(["runs", "--json"]) == ExitCode.OK
    listed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {"osadl-output", "osadl-output-2"} == {one["imported"] for one in listed}
    assert main(["compare", "osadl-output", "osadl-output-2"]) == ExitCode.OK
    assert main(["report", "osadl-output", "--md"]) == ExitCode.OK


def test_it_goes_where_it_is_told_to(tmp_path: Path) -> None:
    target = tmp_path / "kept.json"
    told = ["import", PACKED, "--interval", "200", "--host", "rack"]
    assert main([*told, "--output", str(target)]) == ExitCode.OK
    assert load(target).host == "rack"
    assert not list(imported().iterdir())
    assert main(["import", OUTPUT, *told[1:], "--output", str(target)]) == ExitCode.USAGE
    assert main([*told, "-o", str(target / "no")]) == ExitCode.USAGE


def test_all_or_none_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "broken.txt"
    broken.write_text("hello")
    assert main(["import", OUTPUT, str(broken), "--interval", "200"]) == ExitCode.MEASUREMENT_FAILED
    assert not list(imported().iterdir())
    assert main(["import", OUTPUT]) == ExitCode.USAGE
    assert "--interval" in capsys.readouterr().err
    assert main(["import", OUTPUT, "--command", "cyclictest -Nq"]) == ExitCode.MEASUREMENT_FAILED
    assert main(["import", str(tmp_path / "none")]) == ExitCode.USAGE


@pytest.mark.parametrize(
    "name", ["osadl-output.txt", "osadl-output.txt.gz", "osadl-histogram.txt", "v2.4-json.json",
             "v2.4-not-quiet.txt", "noted.txt"],
)  # fmt: skip
def test_files_of_others_are_taken_as_they_are(
    name: str, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    path = str(KEPT / name)
    assert main(["report", path, "--interval", "200", "--openmetrics"]) == ExitCode.OK
    assert main(["compare", path, path, "--interval", "200"]) == ExitCode.OK
    capsysbinary.readouterr()
    assert main(["monitor", "--replay", path, "--interval", "200", "--json"]) == ExitCode.OK
    lines = [json.loads(line) for line in capsysbinary.readouterr().out.splitlines()]
    (stored,) = (line for line in lines if line["event"] == "latency-stored")
    assert stored["verdict"]
    if "no verdict" in stored["verdict"]:
        assert stored["reasons"]


def test_the_interval_of_a_replay_is_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["monitor", "--replay", OUTPUT, "--interval", "fast"]) == ExitCode.USAGE
    assert main(["monitor", "--replay", OUTPUT]) == ExitCode.USAGE
    assert "how often" in capsys.readouterr().err


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "schema"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["properties"]["schema_version"]["const"] == 2


def test_limits_are_listed_with_their_sources(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "limits"]) == ExitCode.OK
    text = capsys.readouterr().out
    for word in ("openshift-ran: below 20 us", "rt-guest: below 40 us", "seapath: below 100 us"):
        assert word in text
    assert "osadl.org" in text
