"""rt-tests: installed where it is allowed, built into our cache where nothing is."""

from pathlib import Path

import pytest

from kubert_tui.facts.model import Distribution
from kubert_tui.lab.model import CyclictestSpec, Lab, Permission, RtTestsSpec
from kubert_tui.rt_tests.source import Source
from kubert_tui.stages import playbook_change, rt_tests_change
from kubert_tui.stages.rt_tests_change import RtTestsChange
from tests.support.blank import blank_lab
from tests.support.recording import DEBIAN, FEDORA, RecordingWork, Runs, facts_of


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    ansible = Runs()
    monkeypatch.setattr(playbook_change, "run_playbook", ansible)
    return ansible


LOCAL = Lab.model_validate({"hosts": [{"name": "here", "connection": "local"}]})
LOCAL_ALLOWED = Lab.model_validate(
    {"hosts": [{"name": "here", "connection": "local"}], "allow": ["packages"]}
)


def from_archive(tmp_path: Path) -> Source:
    return Source(tmp_path / "rt-tests.tar.gz", "2.10", "upstream", "b" * 64)


def test_this_computer_needs_no_permission_for_a_build_in_our_cache() -> None:
    change = RtTestsChange()
    assert change.needs(LOCAL, LOCAL.hosts[0]) == frozenset()
    assert change.needs(LOCAL_ALLOWED, LOCAL_ALLOWED.hosts[0]) == {Permission.PACKAGES}
    remote = blank_lab(allow=frozenset())
    assert change.needs(remote, remote.hosts[0]) == {Permission.PACKAGES}


def test_the_cached_build_installs_nothing(
    runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[str] = []

    def build_here(source: Source, *_rest: object) -> Path:
        built.append(source.version)
        return tmp_path / "bin" / "cyclictest"

    monkeypatch.setattr(rt_tests_change, "build_here", build_here)
    work = RecordingWork(LOCAL, tmp_path)
    RtTestsChange(source=lambda _work: from_archive(tmp_path)).apply(work, ("here",))
    assert built == ["2.10"]
    assert runs.requests == []
    assert work.notes()[-1] == f"cyclictest is ready: {tmp_path}/bin/cyclictest"
    plan = RtTestsChange().plan(LOCAL, facts_of("here"))
    assert "nothing is installed" in plan[-1].title


def test_an_allowed_host_gets_the_archive(runs: Runs, tmp_path: Path) -> None:
    work = RecordingWork(blank_lab(), tmp_path)
    RtTestsChange(source=lambda _work: from_archive(tmp_path)).apply(work, ("bull1",))
    given = runs.requests[0].variables["bull1"]
    assert given["rt_tests_archive"] == str(tmp_path / "rt-tests.tar.gz")
    assert given["rt_tests_version"] == "2.10"
    assert given["rt_tests_sha256"] == "b" * 64
    assert given["rt_tests_prefix"] == "/usr/local"
    assert str(given["rt_tests_build_script"]).endswith("build.sh")


@pytest.mark.parametrize(
    ("distribution", "package"), [(FEDORA, "realtime-tests"), (DEBIAN, "rt-tests")]
)
def test_the_package_is_called_as_the_hosts_distribution_calls_it(
    runs: Runs, tmp_path: Path, distribution: Distribution, package: str
) -> None:
    source = Source(None, "", "the distribution", "", binary_package="rt-tests")
    work = RecordingWork(blank_lab(), tmp_path, distribution)
    RtTestsChange(source=lambda _work: source).apply(work, ("bull1",))
    assert runs.requests[0].variables["bull1"] == {"rt_tests_package": package}


def test_the_plan_of_a_build_names_the_compiler() -> None:
    plan = RtTestsChange().plan(blank_lab(), facts_of())
    assert plan[0].title.startswith("Get the source of rt-tests: the default release")
    assert any("libnuma-dev" in step.command for step in plan)
    assert not any("numactl-devel" in step.command for step in plan)


def test_the_plan_names_the_package_where_the_distribution_s_is_wanted() -> None:
    lab = blank_lab().model_copy(update={"rt_tests": RtTestsSpec(source="distribution")})
    plan = RtTestsChange().plan(lab, facts_of())
    assert plan[0].title.startswith("Get the package of rt-tests")
    assert any("ansible.builtin.apt name=rt-tests" in step.command for step in plan)
    assert not any("build.sh" in step.command for step in plan)


@pytest.mark.parametrize(
    ("load", "packages"), [("none", None), ("hackbench", None), ("disk", ["stress-ng"])]
)
def test_what_the_load_needs_is_installed_with_it(
    runs: Runs, tmp_path: Path, load: str, packages: list[str] | None
) -> None:
    lab = blank_lab().model_copy(
        update={"cyclictest": CyclictestSpec.model_validate({"load": load})}
    )
    work = RecordingWork(lab, tmp_path)
    RtTestsChange(source=lambda _work: from_archive(tmp_path)).apply(work, ("bull1",))
    assert runs.requests[0].variables["bull1"].get("kubert_load_packages") == packages
    plan = RtTestsChange().plan(lab, facts_of())
    installs = [step for step in plan if step.title.startswith("Install what loads the host on a")]
    assert len(installs) == (1 if packages else 0)
    assert all("stress-ng" in step.command for step in installs)
