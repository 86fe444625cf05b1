"""How to turn hyperthreading off, chosen by what the host's DMI says about itself."""

from dataclasses import dataclass

from kubert_tui.facts.fact import Fact, Known
from kubert_tui.facts.model import Facts
from kubert_tui.lab.model import Lab

_RETURN = (
    "Save, let the machine boot the PREEMPT_RT kernel, then check with `uname -a` and `lscpu`."
)


@dataclass(frozen=True, slots=True)
class _Menu:
    """The way through one vendor's firmware menus."""

    vendors: tuple[str, ...]
    """Lower-case beginnings of the DMI vendor."""
    name: str
    enter: str
    intel: str
    amd: str


_MENUS = (
    _Menu(
        ("hpe", "hp", "hewlett"),
        "HPE ProLiant",
        "Reboot the machine (iLO's remote console shows it) and press F9 for `System Utilities`.",
        "From the `System Utilities` screen, select `System Configuration > BIOS/Platform "
        "Configuration (RBSU) > Processor Options > Intel (R) Hyperthreading Options > Disabled > "
        "Save Your Settings`.",
        "From the `System Utilities` screen, select `System Configuration > BIOS/Platform "
        "Configuration (RBSU) > Processor Options > AMD SMT Option > Disabled > Save Your "
        "Settings`.",
    ),
    _Menu(
        ("dell",),
        "Dell PowerEdge",
        "Reboot the machine (iDRAC's virtual console shows it) and press F2 for System Setup.",
        "Select `System BIOS > Processor Settings > Logical Processor > Disabled`, then Finish and "
        "save.",
        "Select `System BIOS > Processor Settings > Logical Processor > Disabled`, then Finish and "
        "save. (Dell calls AMD's SMT Mode Logical Processor, too.)",
    ),
    _Menu(
        ("lenovo", "ibm"),
        "Lenovo ThinkSystem",
        "Reboot the machine (XClarity Controller's remote console shows it) and press F1.",
        "Select `UEFI Setup > System Settings > Processors > Hyper-Threading > Disable` and save.",
        "Select `UEFI Setup > System Settings > Processors > SMT Mode > Disable` and save.",
    ),
    _Menu(
        ("supermicro", "super micro"),
        "Supermicro",
        "Reboot the machine (the BMC's remote console shows it) and press Del.",
        "Select `Advanced > CPU Configuration > Hyper-Threading [ALL] > Disable`, then F4 to save.",
        "Select `Advanced > CPU Configuration > SMT Control > Disable`, then F4 to save. "
        "(AMD's own menus call it SMT Mode.)",
    ),
)
_GENERIC = _Menu(
    (),
    "this machine",
    "Reboot the machine, with its console at hand, and enter its firmware setup: F2, Del, F1, F10 "
    "or Esc, as it says while it starts.",
    "Look under processor or CPU settings for Hyper-Threading, Hyperthreading Options, Logical "
    "Processor or SMT; set it to Disabled and save.",
    "Look under processor or CPU settings for SMT Mode, SMT Control or Logical Processor (AMD "
    "calls hyperthreading SMT); set it to Disabled and save.",
)
_CONTAINER = (
    "This host is a container: it has the processors of the machine it runs on. Turn "
    "hyperthreading off there, and add that machine to the lab."
)
_VIRTUAL = (
    "This host is a virtual machine ({kind}): it has no hyperthreading switch of its own. Give its "
    'domain one thread per core - libvirt: `virsh edit`, `<topology sockets="1" cores="N" '
    'threads="1"/>` inside `<cpu>` - and turn hyperthreading off in the firmware of the machine '
    "that runs it. Then start the domain anew: a restart inside it does not change its topology."
)
_CONTAINERS = frozenset(
    {"container", "docker", "lxc", "lxc-libvirt", "openvz", "podman", "systemd-nspawn", "wsl"}
)


def no_firmware_menu(facts: Facts, _: Lab) -> str:
    """Return why a host has no firmware menu to turn hyperthreading off in; `` when it has."""
    kind = _text(facts.virtualization)
    if kind in _CONTAINERS:
        return f"a container ({kind}) has the processors of the machine that runs it"
    if kind not in ("", "none"):
        return f"a virtual machine ({kind}) has no firmware menu for it; see the host's guide"
    return ""


def hyperthreading_guide(facts: Facts) -> str:
    """Return the instructions for one host as plain text in paragraphs."""
    kind = _text(facts.virtualization)
    if kind in _CONTAINERS:
        return _CONTAINER
    if kind not in ("", "none"):
        return _VIRTUAL.format(kind=kind)
    menu = _menu(_text(facts.firmware.vendor))
    amd = "amd" in _text(facts.processors.model).lower()
    heading = " ".join(
        part for part in (_text(facts.firmware.vendor), _text(facts.firmware.product)) if part
    )
    return "\n\n".join(
        (f"{heading or menu.name}:", menu.enter, menu.amd if amd else menu.intel, _RETURN)
    )


def _menu(vendor: str) -> _Menu:
    found = vendor.strip().lower()
    for menu in _MENUS:
        if found.startswith(menu.vendors):
            return menu
    return _GENERIC


def _text(fact: Fact[str]) -> str:
    return fact.value if isinstance(fact, Known) else ""
