"""What we define is what libvirt's own schema allows."""

import shutil
import subprocess
from pathlib import Path

import pytest

from kubert_tui.machines.definition import define, network_xml
from kubert_tui.machines.elements import ELEMENTS
from tests.support.machine_cases import EMULATED, KVM, case, guest

pytestmark = pytest.mark.lab

CASES = {
    "everything": (case(), {}),
    "emulated": (case(traits=EMULATED), {}),
    "nothing": (case("realtime: no, network: bridge, vcpus: 1"), {}),
    "unplaced": (case(traits=KVM, placement=None), {}),
    "refused": (case(), {one.name: f"<{one.name}> & more" for one in ELEMENTS}),
}


@pytest.mark.parametrize("name", CASES)
def test_definitions_are_valid(name: str, tmp_path: Path) -> None:
    wanted, refused = CASES[name]
    validate(define(wanted, refused, "0123").xml, "domain", tmp_path)


def test_the_network_is_valid(tmp_path: Path) -> None:
    validate(network_xml(guest(), guest().uuid), "network", tmp_path)


def test_the_validator_validates(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        validate(define(case()).xml.replace('state="off"', 'state="maybe"'), "domain", tmp_path)


def validate(xml: str, kind: str, directory: Path) -> None:
    if not (shutil.which("virt-xml-validate") and shutil.which("xmllint")):
        pytest.skip("needs virt-xml-validate and xmllint installed")
    file = directory / "definition.xml"
    file.write_text(xml)
    argv = ["virt-xml-validate", str(file), kind]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
