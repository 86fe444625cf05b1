"""`kubert-tui machines export` and `adopt`: to Vagrant, and from there."""

import argparse
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from kubert_tui.base import paths
from kubert_tui.base.errors import ExitCode, KubertError, UsageError
from kubert_tui.base.text import clean_line
from kubert_tui.cli.answers import Answers, answers_of
from kubert_tui.cli.auto import consume
from kubert_tui.engine.hypervisors import hypervisor_of
from kubert_tui.engine.session import Options, Session
from kubert_tui.events.model import Event, FactsGathered, Failure
from kubert_tui.facts.model import Facts
from kubert_tui.lab.edit_machines import by_hand, save_machine
from kubert_tui.lab.find import LabSource, find_lab
from kubert_tui.lab.model import Lab
from kubert_tui.lab.overrides import override
from kubert_tui.lab.write import machine_lines
from kubert_tui.machines.adopt import USER, adopt, spec_of, uuid_of, vagrant_machine
from kubert_tui.machines.adopt import addresses as addresses_of
from kubert_tui.machines.cases import cases_for
from kubert_tui.machines.elements import Case
from kubert_tui.machines.hypervisor import Hypervisor
from kubert_tui.machines.traits import traits_of
from kubert_tui.machines.vagrantfile import BOX, vagrantfile
from kubert_tui.stages.model import Guide, Stage

_LOOK = Stage(
    id="look",
    title="Look at every host",
    guide=Guide(what="Look at every host.", why="", readme="", ours="", differs=""),
)


def register(actions: Any) -> None:
    """Add both to the commands below `machines`; each has a handler of its own."""
    export = actions.add_parser("export", help="write the lab's machines as a Vagrantfile")
    export.add_argument("--vagrantfile", action="store_true", required=True, help="the only form")
    export.add_argument("--box", metavar="BOX", default=BOX, help=f"made from (default {BOX})")
    export.add_argument(
        "-o", "--output", metavar="FILE", help="else printed; several hosts: FILE.HOST each"
    )
    export.add_argument("--force", action="store_true", help="replace a file that is there")
    export.set_defaults(handler=run_export)
    taken = actions.add_parser("adopt", help="make a machine of `vagrant up` one of the lab's")
    taken.add_argument("domain", metavar="NAME", help="its name in libvirt (virsh list --all)")
    taken.add_argument("--as", dest="machine", metavar="MACHINE", help="its name in the lab")
    taken.add_argument("--host", metavar="HOST", help="that runs it; the lab's first")
    taken.add_argument("--address", metavar="IP", help="where ssh reaches it, if libvirt is mute")
    taken.add_argument("--key", metavar="FILE", help="private key that logs in")
    taken.add_argument("--user", metavar="LOGIN", default=USER, help=f"default {USER}")
    taken.add_argument(
        "--directory", metavar="DIR", default=".", help="of its Vagrantfile (default: this one)"
    )
    taken.set_defaults(handler=run_adopt)
    for one in (export, taken):
        one.add_argument("--lab", metavar="LAB", default=argparse.SUPPRESS, help="as above")
        one.add_argument("--accept-new-host-keys", action="store_true")


def run_export(arguments: argparse.Namespace) -> int:
    """Print or write the Vagrantfile of each host that has machines."""
    lab = override(find_lab(arguments.lab).lab, arguments.set)
    if not lab.guests:
        raise UsageError(
            "the lab file names no machines", fix="add `machines: {preset: upstream}` to it"
        )
    names = tuple(dict.fromkeys(guest.host for guest in lab.guests))
    facts, code = _facts(lab, answers_of(arguments))
    made = {
        name: vagrantfile(lab.name, name, _cases(lab, facts[name]), arguments.box)
        for name in names
        if name in facts
    }
    if missing := [name for name in names if name not in facts]:
        print(f"kubert-tui: left out, not reached: {', '.join(missing)}", file=sys.stderr)
    if not arguments.output:
        print("\n".join(made.values()), end="")
        return code
    for name, text in made.items():
        path = Path(arguments.output if len(names) == 1 else f"{arguments.output}.{name}")
        if path.exists() and not arguments.force:
            raise UsageError(f"{clean_line(str(path))} exists", fix="--force replaces it")
        paths.write_private(path, text)
        print(f"{name}: {clean_line(str(path))}")
    return code


def run_adopt(arguments: argparse.Namespace) -> int:
    """Take a machine over, and write it into the lab file."""
    source = find_lab(arguments.lab)
    lab = override(source.lab, arguments.set)
    host = arguments.host or lab.hosts[0].name
    if host not in {one.name for one in lab.hosts}:
        raise UsageError(f"the lab has no host {clean_line(host)}")
    with _hypervisor(lab, host) as hypervisor:
        return _adopt(hypervisor, source, arguments)


def _hypervisor(lab: Lab, host: str) -> AbstractContextManager[Hypervisor]:
    return hypervisor_of(lab.host(host), lab, {})


def _adopt(hypervisor: Hypervisor, source: LabSource, arguments: argparse.Namespace) -> int:
    domain = hypervisor.domain(arguments.domain)
    kept = None if domain is None else vagrant_machine(Path(arguments.directory), uuid_of(domain))
    name = arguments.machine or (kept.name if kept else arguments.domain)
    found = () if domain is None else addresses_of(hypervisor, arguments.domain)
    address = arguments.address or next(iter(found), "")
    if domain is not None and not address:
        raise KubertError(
            f"libvirt does not know the address of {clean_line(arguments.domain)}",
            fix="start it, or say where ssh reaches it: --address IP",
            host=hypervisor.host,
        )
    key = Path(arguments.key) if arguments.key else kept.key if kept else None
    # Nothing is marked that could not be named in a lab file.
    spec = None if domain is None else _spec(hypervisor, arguments, name, address, key)
    domain = adopt(hypervisor, source.lab.name, arguments.domain, name)
    if spec is None:
        raise AssertionError("adopt refuses what is not there")
    print(
        f"{domain.name} is {name} of the lab {source.lab.name} now; how it is made is not changed"
    )
    if source.path is None:
        print(by_hand(spec))
        return ExitCode.OK
    added = save_machine(source.path, spec)
    print(f"{'added to' if added else 'it is in'} {clean_line(str(source.path))}:")
    print("\n".join(machine_lines(spec)))
    if key is None:
        print("no private key was found: say which one logs in with --key FILE", file=sys.stderr)
    return ExitCode.OK


def _spec(
    hypervisor: Hypervisor, arguments: argparse.Namespace, name: str, address: str, key: Path | None
) -> Any:
    domain = hypervisor.domain(arguments.domain)
    if domain is None:
        return None
    try:
        return spec_of(
            domain,
            name,
            hypervisor.host,
            address=address,
            key=key.absolute() if key else None,
            user=arguments.user,
        )
    except ValueError:
        raise UsageError(
            f"{clean_line(name)} at {clean_line(address)} is no machine of a lab file",
            fix="name it with --as (small letters, digits, dashes); --address is an IPv4 address",
        ) from None


def _cases(lab: Lab, facts: Facts) -> Sequence[Case]:
    cases = cases_for(lab, facts, traits_of(facts))
    return [case for case in cases if not case.guest.spec.adopted]


class _Collected:
    """What the hosts told of themselves; failures go to stderr."""

    def __init__(self) -> None:
        self.facts: dict[str, Facts] = {}

    def show(self, event: Event) -> None:
        if isinstance(event, FactsGathered):
            self.facts[event.host] = event.facts
        elif isinstance(event, Failure):
            fix = f" ({event.fix})" if event.fix else ""
            print(f"kubert-tui: {event.host}: {event.what}{fix}", file=sys.stderr)


def _facts(lab: Lab, answers: Answers) -> tuple[dict[str, Facts], int]:
    session = Session(lab, Options(dry_run=True), stages=(_LOOK,))
    collected = _Collected()
    session.submit(_LOOK.id)
    session.close()
    code = consume(session, collected, answers.answer)
    return collected.facts, code
