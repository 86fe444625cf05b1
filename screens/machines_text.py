"""The machines of a lab as rows of a table, from the facts of their hosts."""

from collections.abc import Mapping
from dataclasses import dataclass

from textual.content import Content

from kubert_tui.facts.fact import Fact, Known, Unknown
from kubert_tui.facts.virtual import Libvirt, MachineSeen
from kubert_tui.lab.model import Lab, MachineSpec

_STYLES = {
    "running": "$text-success",
    "missing": "$foreground-muted",
    "off": "$text-warning",
    "unknown": "$text-warning",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One machine."""

    host: str
    name: str
    state: str
    spec: MachineSpec | None
    """None: the lab file does not name it any more."""
    seen: MachineSeen | None
    reason: str = ""
    """Why nothing is known of it."""


def rows_of(lab: Lab, found: Mapping[str, Fact[Libvirt]]) -> tuple[Row, ...]:
    """Return the machines by host: those of the lab file in its order, then those left over."""
    rows: list[Row] = []
    for host in lab.hosts:
        fact = found.get(host.name, Unknown("it was not looked at yet"))
        seen = fact.value.machines if isinstance(fact, Known) else ()
        reason = fact.reason if isinstance(fact, Unknown) else ""
        by_name = {one.name: one for one in seen}
        specs = {one.name: one for one in lab.guests if one.host == host.name}
        for name in dict.fromkeys((*specs, *by_name)):
            one = by_name.get(name)
            state = "unknown" if reason else one.state if one else "missing"
            rows.append(Row(host.name, name, state, specs.get(name), one, reason))
    return tuple(rows)


def line_of(row: Row) -> Content:
    """Return the row as a line of at most 72 columns."""
    address = row.spec.address if row.spec else "not in lab"
    note = "  restart due" if row.seen and row.seen.restart else ""
    return Content.assemble(
        (f"{row.name[:15]:<16}", "bold"),
        (f"{row.state[:9]:<10}", _STYLES.get(row.state, "")),
        (f"{address:<16}", ""),
        (f"{cpus_of(row)[:17]:<18}", ""),
        (note, "$text-warning"),
    )


def cpus_of(row: Row) -> str:
    """Return its vCPUs, and on which CPUs of the host they are."""
    number = row.seen.vcpus if row.seen and row.seen.vcpus else row.spec.vcpus if row.spec else 0
    if row.seen is None or not row.seen.vcpus:
        return f"{number} vCPUs" if number else ""
    return f"{number} on {','.join(row.seen.pins)}" if row.seen.pins else f"{number}, not pinned"


def detail_of(row: Row) -> Content:
    """Return what else is known of a machine, in a few lines."""
    lines = [f"{row.name} on {row.host}: {row.state}"]
    if row.spec is not None:
        size = f"{row.spec.memory} of memory, a disk of {row.spec.disk}"
        lines[0] += f"; {size}; ssh root@{row.spec.address} (key: kubert-tui machines list)"
    if row.reason:
        lines.append(row.reason)
    if (seen := row.seen) is not None:
        lines += [text for text in (seen.trouble, seen.unreachable) if text]
        lines += [f"differs: {change}" for change in seen.changes]
        lines += [f"at its next start: {change}" for change in seen.restart]
        lines += [f"snapshots: {', '.join(seen.snapshots)}"] if seen.snapshots else []
        lines += [f"without {one}" for one in seen.left_out]
    return Content("\n".join(lines))
