"""Which versions of Kubernetes go together, and which may follow: the published skew policy."""

import pytest

from kubert_tui.checks.skew import kubelet_problem, older, step, upgrade_problem, version_of


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("v1.36.4", (1, 36, 4)),
        ("1.36", (1, 36)),
        ("v1.36.4-rc.1", (1, 36, 4)),
        ("v1.36.4+k3s1", (1, 36, 4)),
        ("", None),
        ("Kubernetes", None),
        ("v1.36.4.5", None),
    ],
)
def test_versions_are_read(text: str, version: tuple[int, ...] | None) -> None:
    assert version_of(text) == version


def test_steps_count_minor_releases() -> None:
    assert step("v1.36.4", "1.36.9") == 0
    assert step("v1.36.4", "1.37") == 1
    assert step("v1.36.4", "1.34.1") == -2
    assert step("v1.36.4", "2.0.0") == 100
    assert step("", "1.36") is None


def test_an_older_patch_is_older_and_any_patch_is_not() -> None:
    assert older("1.36.3", "v1.36.4")
    assert older("1.35", "v1.36.4")
    assert not older("1.36", "v1.36.4")
    assert not older("1.36.4", "v1.36.4")
    assert not older("1.37", "v1.36.4")


@pytest.mark.parametrize(
    ("kubelet", "server", "problem"),
    [
        ("v1.36.4", "v1.36.4", ""),
        ("v1.36.9", "v1.36.4", ""),
        ("v1.33.0", "v1.36.4", ""),
        ("v1.37.0", "v1.36.4", "newer than the API server"),
        ("v1.32.0", "v1.36.4", "3 minor releases older at most"),
        # Two, as long as the kubelet itself is older than 1.25.
        ("v1.24.0", "v1.26.0", ""),
        ("v1.24.0", "v1.27.0", "2 minor releases older at most"),
        ("v1.25.0", "v1.28.0", ""),
        ("", "v1.36.4", "an unknown version"),
    ],
)
def test_kubelets_are_not_newer_and_not_much_older(kubelet: str, server: str, problem: str) -> None:
    told = kubelet_problem("bull2", kubelet, server)
    assert (problem in told) if problem else told == ""


@pytest.mark.parametrize(
    ("server", "wanted", "kubelets", "what", "fix"),
    [
        ("v1.36.4", "1.37.1", {"bull1": "v1.36.4", "bull2": "v1.36.4"}, "", ""),
        ("v1.36.4", "1.36.5", {"bull2": "v1.33.1"}, "", ""),
        ("v1.36.4", "1.36", {}, "", ""),
        # What is left of an upgrade that broke off.
        ("v1.37.1", "1.37.1", {"bull1": "v1.37.1", "bull2": "v1.36.4"}, "", ""),
        ("v1.34.4", "1.36.4", {}, "2 minor releases at once", "cluster.kubernetes to 1.35 first"),
        ("v1.37.1", "1.36.4", {}, "which is older", "set cluster.kubernetes to 1.37.1"),
        ("v1.36.4", "1.36.3", {}, "which is older", "to 1.36.4"),
        ("v1.36.4", "1.37.1", {"bull2": "v1.33.1"}, "bull2 runs v1.33.1", "bring bull2 to v1.36.4"),
        ("v1.36.4", "1.37.1", {"bull2": "v1.37.1"}, "bull2 runs v1.37.1, newer", "bring bull2"),
        ("", "1.37.1", {}, "says that it is nothing", "see what runs"),
    ],
)
def test_an_upgrade_is_one_minor_release_and_leaves_no_kubelet_behind(
    server: str, wanted: str, kubelets: dict[str, str], what: str, fix: str
) -> None:
    told = upgrade_problem(server, wanted, kubelets)
    assert (what in told[0], fix in told[1]) == (True, True), told
    assert bool(told[0]) == bool(what)
