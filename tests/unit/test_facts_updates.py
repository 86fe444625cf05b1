"""Package updates that wait, and what makes their number unknown."""

import pytest

from kubert_tui.facts.fact import Fact, Known, Unknown
from tests.support.fact_samples import HPE, facts_of, section

DNF4 = """manager dnf
Last metadata expiration check: 0:00:20 ago on Tue Nov 24 02:13:02 2026.

kernel-core.x86_64        5.14.18-100.fc33     updates
bash.x86_64               5.0.17-3.fc33        updates
Obsoleting Packages
iptables-nft.x86_64       1.8.5-6.fc33         updates
    iptables.x86_64       1.8.5-5.fc33         @fedora
"""


def pending(content: str, status: str) -> Fact[int]:
    sample = HPE | {"updates": section("updates", content, status, "the package manager")}
    return facts_of(sample).pending_updates


def test_dnf_lists_updates_with_status_100_and_obsoletes_after_them() -> None:
    assert pending(DNF4, "100") == Known(2)


def test_dnf_without_updates() -> None:
    assert pending("manager dnf\n", "0") == Known(0)


def test_apt_counts_packages_once_and_those_an_interruption_left_unconfigured() -> None:
    simulated = "Inst bash [5.2-1] (5.2-2 bookworm)\nConf bash (5.2-2 bookworm)\nConf vim (9 x)\n"
    assert pending(f"manager apt\n{simulated}lists present\n", "0") == Known(2)
    assert pending("manager apt\nConf\nlists present\n", "0") == Known(0)


def test_what_dpkg_has_begun_and_not_ended_waits_too() -> None:
    assert pending("manager apt\nlists present\nunfinished\n", "0") == Known(1)
    assert pending("manager apt\nConf vim (9 x)\nlists present\nunfinished\n", "0") == Known(1)


@pytest.mark.parametrize(
    ("content", "status", "reason"),
    [
        ("manager apt\n", "0", "apt has no package lists yet: apt-get update was never run"),
        ("manager none\n", "0", "neither dnf nor apt is there"),
        ("manager dnf\n", "124", "the package manager did not end in time"),
        (
            (
                "manager dnf\nError: Cache-only enabled but no cache for 'fedora'\n"
                "Ignoring repositories: fedora\n"
            ),
            "0",
            "dnf has no metadata yet: Error: Cache-only enabled but no cache for 'fedora'",
        ),
        (
            "manager dnf\nError: no cache\n",
            "1",
            "the package manager failed with status 1: Error: no cache",
        ),
        (
            "manager apt\nE: broken\nlists present\n",
            "100",
            "the package manager failed with status 100: lists present",
        ),
        ("", "0", "the package manager gave nothing that could be understood"),
    ],
)
def test_an_unknown_number_says_why(content: str, status: str, reason: str) -> None:
    assert pending(content, status) == Unknown(reason)
