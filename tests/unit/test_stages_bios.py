"""The way to the hyperthreading switch is the one of the host's own firmware."""

import pytest

from kubert_tui.facts.fact import Known
from kubert_tui.stages.bios import hyperthreading_guide
from tests.support.blank import blank_facts

XEON = "Intel(R) Xeon(R) Gold 6242R CPU @ 3.10GHz"
EPYC = "AMD EPYC 9354 32-Core Processor"
HPE = (
    "`System Configuration > BIOS/Platform Configuration (RBSU) > Processor Options > "
    "Intel (R) Hyperthreading Options > Disabled > Save Your Settings`"
)


def guide(vendor: str, *, model: str = XEON, virtualization: str = "none") -> str:
    return hyperthreading_guide(
        blank_facts(
            firmware__vendor=Known(vendor),
            firmware__product=Known("Model 10"),
            processors__model=Known(model),
            virtualization=Known(virtualization),
        )
    )


def test_hpe_is_told_what_the_readme_says() -> None:
    text = guide("HPE")
    assert HPE in text
    assert "`System Utilities`" in text
    assert text.startswith("HPE Model 10:")


@pytest.mark.parametrize(
    ("vendor", "model", "expected"),
    [
        ("Hewlett-Packard", XEON, HPE),
        ("HPE", EPYC, "AMD SMT Option"),
        ("Dell Inc.", XEON, "System BIOS > Processor Settings > Logical Processor > Disabled"),
        ("Dell Inc.", EPYC, "SMT Mode"),
        ("Lenovo", XEON, "System Settings > Processors > Hyper-Threading > Disable"),
        ("LENOVO", EPYC, "SMT Mode > Disable"),
        ("Supermicro", XEON, "CPU Configuration > Hyper-Threading [ALL] > Disable"),
        ("Supermicro", EPYC, "SMT Control > Disable"),
        ("ASUSTeK COMPUTER INC.", XEON, "Hyper-Threading"),
        ("ASUSTeK COMPUTER INC.", EPYC, "SMT Mode"),
    ],
)
def test_each_vendor_has_its_own_menus(vendor: str, model: str, expected: str) -> None:
    assert expected in guide(vendor, model=model)


def test_amd_is_not_shown_intels_names() -> None:
    for vendor in ("HPE", "Lenovo", "Supermicro"):
        assert "Hyper" not in guide(vendor, model=EPYC), vendor


def test_a_virtual_machine_is_sent_to_its_domain() -> None:
    text = guide("QEMU", virtualization="kvm")
    assert 'threads="1"' in text
    assert "kvm" in text


def test_a_container_is_sent_to_its_machine() -> None:
    text = guide("HPE", virtualization="systemd-nspawn")
    assert "container" in text
    assert HPE not in text


def test_unknown_firmware_gets_general_instructions() -> None:
    text = hyperthreading_guide(blank_facts())
    assert text.startswith("this machine:")
    assert "Logical Processor or SMT" in text
