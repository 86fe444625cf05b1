"""The image's checks at each of their levels."""

import pytest

from kubert_tui.checks.finding import Check, Level
from kubert_tui.checks.image import ARCHITECTURE, PRESENT, ROOM, why_none
from kubert_tui.facts.fact import Known
from kubert_tui.facts.model import DiskSpace, Facts
from kubert_tui.facts.virtual import Libvirt
from kubert_tui.lab.load import parse_lab
from kubert_tui.lab.model import Lab
from kubert_tui.machines.image_name import base_volume
from tests.support.blank import blank_facts

GIB = 1 << 30
HOSTS = "hosts: [{name: bull1}, {name: bull2}]\n"


def lab(more: str = "") -> Lab:
    return parse_lab(f"{HOSTS}machines: [{{name: one, disk: 20GiB}}]\n{more}", "lab.yaml")


def libvirt(*images: str, room: int | None = None) -> Facts:
    return blank_facts(libvirt=Known(Libvirt(images=images, room=room)))


def disks(**free: int) -> Facts:
    mounts = {"root": "/", "var": "/var", "home": "/home"}
    spaces = tuple(DiskSpace(mounts[key], 99 * GIB, gib * GIB) for key, gib in free.items())
    return blank_facts(disks=Known(spaces))


NAME = base_volume(lab())


@pytest.mark.parametrize(
    ("check", "facts", "level", "says"),
    [
        (PRESENT, libvirt(NAME), Level.OK, NAME),
        (PRESENT, libvirt("+base+another"), Level.FAILED, f"{NAME} is not there"),
        (PRESENT, blank_facts(), Level.UNKNOWN, "not read in this test"),
        (ROOM, libvirt(room=30 * GIB), Level.OK, "30GiB are free"),
        (ROOM, libvirt(room=10 * GIB), Level.WARNING, "may grow to 20GiB"),
        (ROOM, libvirt(room=GIB), Level.FAILED, "1GiB are free"),
        (ROOM, libvirt(NAME, room=GIB), Level.WARNING, "may grow"),
        (ROOM, disks(root=1, home=99), Level.FAILED, "1GiB are free"),
        (ROOM, disks(root=1, var=50), Level.OK, "50GiB are free"),
        (ROOM, disks(home=99), Level.UNKNOWN, "no file system holds"),
        (ROOM, blank_facts(), Level.UNKNOWN, "not read in this test"),
        (ARCHITECTURE, blank_facts(kernel__machine=Known("x86_64")), Level.OK, "x86_64"),
        (ARCHITECTURE, blank_facts(kernel__machine=Known("aarch64")), Level.FAILED, "aarch64"),
        (ARCHITECTURE, blank_facts(), Level.UNKNOWN, "not read in this test"),
    ],
)
def test_each_level(check: Check, facts: Facts, level: Level, says: str) -> None:
    finding = check(facts, lab())
    assert finding.level is level, finding.summary
    assert says in finding.summary
    assert bool(finding.fix) is (level is not Level.OK)


@pytest.mark.parametrize("check", [PRESENT, ROOM, ARCHITECTURE])
def test_where_no_machine_runs_no_image_is_needed(check: Check) -> None:
    none = parse_lab(HOSTS, "lab.yaml")
    assert check(blank_facts(), none).level is Level.OK
    assert check(blank_facts("bull2"), lab()).level is Level.OK
    assert "machines: {preset: upstream}" in why_none(blank_facts(), none)
    assert "bull2" in why_none(blank_facts("bull2"), lab())
    assert why_none(blank_facts(), lab()) == ""
