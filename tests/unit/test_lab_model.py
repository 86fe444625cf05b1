"""What a lab settles by itself: presets, loops, kernels. However it was made."""

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from kubert_tui.lab.builtin import local_lab
from kubert_tui.lab.causes import CausesSpec
from kubert_tui.lab.duration import format_duration, parse_duration
from kubert_tui.lab.load import parse_lab
from kubert_tui.lab.model import CyclictestSpec, HostSpec, KernelSpec, Lab, RpmPackage, RtTestsSpec
from kubert_tui.lab.presets import KERNEL_PRESETS, kernel_packages
from kubert_tui.lab.write import dump_lab


def test_presets_are_the_readmes_test_and_a_minute_of_it() -> None:
    readme = CyclictestSpec(preset="readme")
    assert (readme.priority, readme.interval, readme.histogram, readme.distance) == (
        90,
        200,
        250,
        0,
    )
    assert (readme.loops, readme.mlockall) == (36_000_000, True)
    assert CyclictestSpec().loops == CyclictestSpec(preset="quick").loops == 300_000


@pytest.mark.parametrize(
    ("keys", "loops"),
    [
        ({"duration": "5s"}, 25_000),
        ({"duration": "1h30m", "preset": "readme"}, 27_000_000),
        ({"duration": "1ms", "interval": 300}, 4),
        ({"interval": 1000}, 60_000),
        ({"interval": 1000, "preset": "readme"}, 36_000_000),
        ({"loops": 7}, 7),
        ({"loops": None, "duration": ""}, 300_000),
    ],
)
def test_loops_are_settled(keys: dict[str, object], loops: int) -> None:
    assert CyclictestSpec.model_validate(keys).loops == loops


def test_settled_labs_survive_every_way_of_copying() -> None:
    spec = CyclictestSpec(duration="5s", priority=80)
    lab = Lab(hosts=(HostSpec(name="a"),), cyclictest=spec)
    assert Lab.model_validate_json(lab.model_dump_json()) == lab
    assert Lab.model_validate(lab.model_dump()) == lab
    assert pickle.loads(pickle.dumps(lab)) == copy.deepcopy(lab) == lab
    assert spec.model_copy(update={"duration": "1s"}).loops == 5_000
    assert spec.model_copy(update={"interval": 100}).loops == 50_000
    assert spec.model_copy(update={"loops": 3}).duration == ""
    readme = spec.model_copy(update={"preset": "readme"})
    assert (readme.loops, readme.duration, readme.priority) == (36_000_000, "", 80)
    with pytest.raises(ValidationError):
        lab.model_copy(update={"name": "-"})


def test_loops_and_duration_that_disagree_are_refused() -> None:
    with pytest.raises(ValidationError, match="loops or duration, not both"):
        CyclictestSpec(loops=5, duration="5s")


def test_local_lab_may_change_nothing() -> None:
    lab = local_lab()
    assert (lab.name, lab.allow, lab.hosts[0].connection) == ("local", frozenset(), "local")
    assert lab.cyclictest.loops == 300_000


def test_readmes_kernel_has_its_four_packages_and_takes_checksums() -> None:
    preset = KERNEL_PRESETS["ccrma-5.10-fc33"]
    assert len(preset) == 4
    for package in preset:
        assert package.url.startswith("http://ccrma.stanford.edu/planetccrma/mirror/fedora/linux/")
        assert package.url.endswith("-5.10.2-200.rt20.1.fc33.ccrma.x86_64.rpm")
        assert package.sha256 == ""
    known = RpmPackage(url=preset[1].url, sha256="0" * 64)
    spec = KernelSpec(preset="ccrma-5.10-fc33", packages=(known,))
    assert spec.source == "packages"
    assert kernel_packages(spec) == (preset[0], known, preset[2], preset[3])
    assert kernel_packages(KernelSpec()) == ()


@pytest.mark.parametrize(
    "keys",
    [
        {"source": "packages"},
        {"source": "distribution", "preset": "ccrma-5.10-fc33"},
        {"preset": "nothing"},
        {"packages": [{"url": "ftp://host/kernel.rpm"}]},
        {"packages": [{"url": "https://host/kernel.rpm", "sha256": "abc"}]},
        {"packages": [{"url": "https://host/a b.rpm"}]},
    ],
)
def test_kernels_that_make_no_sense(keys: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        KernelSpec.model_validate(keys)


def test_directory_source_needs_a_directory() -> None:
    with pytest.raises(ValidationError, match="directory"):
        RtTestsSpec(source="directory")


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("60s", 60_000_000),
        ("1h 30m", 5_400_000_000),
        ("500ms", 500_000),
        ("1.5us", 2),
        ("2H", 7_200_000_000),
    ],
)
def test_durations(text: str, microseconds: int) -> None:
    assert parse_duration(text) == microseconds


@pytest.mark.parametrize("text", ["", "60", "s", "-5s", "5 parsecs", "0s", "٣s", "1e3s", "5s;"])
def test_no_durations(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_duration(text)


@given(st.integers(min_value=1, max_value=10**14))
def test_formatted_durations_read_back(microseconds: int) -> None:
    assert parse_duration(format_duration(microseconds)) == microseconds


def test_how_long_a_kernel_gets_to_prove_itself_and_a_host_to_come_back() -> None:
    lab = Lab(hosts=(HostSpec(name="a"),))
    assert (lab.kernel.trial_seconds, lab.restart_seconds) == (600, 1800)
    given = lab.model_copy(update={"restart_wait": "1h30m", "kernel": KernelSpec(trial="90s")})
    assert (given.kernel.trial_seconds, given.restart_seconds) == (90, 5400)
    written = dump_lab(given)
    assert "\n  trial: 90s\n" in written
    assert written.endswith("\nrestart_wait: 1h30m\n")
    assert parse_lab(written, "lab.yaml").model_copy(update={"name": lab.name}) == given
    assert "trial" not in dump_lab(lab)


@pytest.mark.parametrize("value", ["59s", "5h", "10", "soon", ""])
def test_a_trial_too_short_or_too_long_is_refused(value: str) -> None:
    with pytest.raises(ValidationError, match="expected"):
        KernelSpec(trial=value)


@pytest.mark.parametrize("value", ["30s", "25h", "never"])
def test_a_wait_too_short_or_too_long_is_refused(value: str) -> None:
    with pytest.raises(ValidationError, match="expected"):
        Lab(hosts=(HostSpec(name="a"),), restart_wait=value)


@pytest.mark.parametrize("limit", ["", "35us", "35", "openshift-ran"])
def test_limits_are_named_or_microseconds(limit: str) -> None:
    assert CyclictestSpec(limit=limit).limit == limit


def test_an_unknown_limit_lists_the_known_ones() -> None:
    with pytest.raises(ValidationError, match=r"'fast' is no limit; .*seapath \(100 us\)"):
        CyclictestSpec(limit="fast")


@pytest.mark.parametrize(
    "wrong", [{"hwlat": "1s"}, {"timerlat": "2d"}, {"limit": "soon"}, {"hwlat": "x"}, {"smi": "1"}]
)
def test_causes_that_cannot_be_looked_for(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        CausesSpec.model_validate(wrong)


def test_the_limit_of_hardware_is_hwlatdetects() -> None:
    assert (CausesSpec().limit_us, CausesSpec().hwlat_seconds) == (10, 60)
    assert CausesSpec(limit="15").limit_us == 15
