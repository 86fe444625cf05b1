"""The machines of a lab as a table, and as JSON."""

import shlex
from collections.abc import Sequence
from typing import Any

from rich.text import Text

from kubert_tui.base.errors import KubertError
from kubert_tui.base.text import clean_line
from kubert_tui.cli.text import TextReport, plain_console
from kubert_tui.events.model import Event, FactsGathered, Failure
from kubert_tui.facts.fact import Fact, Known, Unknown
from kubert_tui.facts.virtual import Libvirt, MachineSeen
from kubert_tui.lab.model import Lab
from kubert_tui.machines.cases import login_command
from kubert_tui.machines.guest import guests_of

_STYLES = {"running": "green", "missing": "dim"}


class MachinesTable:
    """Collects what the hosts' facts say of the lab's machines."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._found: dict[str, Fact[Libvirt]] = {}
        self._report = TextReport()

    def show(self, event: Event) -> None:
        """Take one event."""
        if isinstance(event, FactsGathered):
            self._found[event.host] = event.facts.libvirt
        elif isinstance(event, Failure):
            self._report.show(event)

    def rows(self, names: Sequence[str] = ()) -> list[dict[str, Any]]:
        """Return an object per machine of the lab file, then those left over, by host."""
        rows = []
        for host in self._lab.hosts:
            fact = self._found.get(host.name, Unknown("the host was not looked at"))
            seen = fact.value.machines if isinstance(fact, Known) else ()
            by_name = {one.name: one for one in seen}
            wanted = [guest.name for guest in guests_of(self._lab, host.name)]
            for name in (*wanted, *(one for one in by_name if one not in wanted)):
                if not names or name in names:
                    reason = fact.reason if isinstance(fact, Unknown) else ""
                    rows.append(self._row(host.name, name, by_name.get(name), reason))
        return rows

    def print(self, names: Sequence[str] = ()) -> None:
        """Print a line per machine, and how to log in below it."""
        output = plain_console(stderr=False)
        rows = self.rows(names)
        if not rows:
            output.print(Text(f"lab {self._lab.name} has no machines", "dim"))
        for row in rows:
            pins = f" on {', '.join(row['pins'])}" if row["pins"] else ", not pinned"
            cpus = f"{row['vcpus']} vCPUs{pins}" if row["vcpus"] else ""
            state = row["state"] + (" (not in the lab file)" if row["stray"] else "")
            line = f"{row['host']:<12} {row['name']:<16} {state:<10} {row['address']:<15} {cpus}"
            output.print(Text(line.rstrip(), _STYLES.get(row["state"], "")))
            notes = (
                *(f"at its next start: {one}" for one in row["restart"]),
                *([f"snapshots: {', '.join(row['snapshots'])}"] if row["snapshots"] else []),
                *([row["trouble"]] if row["trouble"] else []),
                *([row["ssh"]] if row["state"] == "running" and row["ssh"] else []),
            )
            for note in notes:
                output.print(Text(f"    {note}", "dim"))

    def _row(self, host: str, name: str, seen: MachineSeen | None, reason: str) -> dict[str, Any]:
        spec = next((one for one in self._lab.guests if one.name == name), None)
        state = "unknown" if reason else "missing" if seen is None else seen.state
        return {
            "host": host,
            "name": name,
            "state": state,
            "address": spec.address if spec else "",
            "vcpus": seen.vcpus if seen else 0,
            "pins": list(seen.pins) if seen else [],
            "changes": list(seen.changes) if seen else [],
            "restart": list(seen.restart) if seen else [],
            "snapshots": list(seen.snapshots) if seen else [],
            "stray": bool(seen and seen.stray),
            "trouble": clean_line(reason or (seen.trouble if seen else "")),
            "ssh": self._ssh(name),
        }

    def _ssh(self, name: str) -> str:
        """The command that logs in; `` where there is none."""
        for guest in guests_of(self._lab):
            if guest.name == name:
                try:
                    return shlex.join(login_command(guest, self._lab))
                except KubertError:
                    return ""
        return ""
