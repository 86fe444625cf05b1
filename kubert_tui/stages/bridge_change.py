"""Making a bridge from a network card, where the lab file says which."""

from collections.abc import Mapping
from dataclasses import dataclass

from kubert_tui.base.errors import ChangeError
from kubert_tui.checks.bridge import NO_CARD, carries_us, choice_of, nic_of
from kubert_tui.events.model import Note, PlannedStep
from kubert_tui.facts.model import Facts
from kubert_tui.lab.model import HostSpec, Lab, Permission
from kubert_tui.stages.model import Change, Work
from kubert_tui.stages.playbook_change import PlaybookChange

SECONDS = 90
"""How long a host waits for us to come back before it puts its network back."""


def variables(lab: Lab, facts: Facts) -> Mapping[str, object]:
    """Return what bridge.yml needs for a host. Pure."""
    net, nic = lab.network, nic_of(lab, facts.host)
    # Where the host is all there is, it is the machines' way to anything, as in a NAT network.
    own = nic == NO_CARD and net.way_out in ("", net.first)
    return {
        "kubert_bridge": net.bridge,
        "kubert_bridge_nic": nic,
        "kubert_bridge_seconds": SECONDS,
        **({"kubert_bridge_address": f"{net.first}/{net.length}"} if own else {}),
    }


def consent(lab: Lab, facts: Facts) -> str:
    """Return why somebody has to agree: the card that carries us is changed; `` if it is not."""
    nic = nic_of(lab, facts.host)
    if nic in ("", NO_CARD) or not carries_us(facts, nic):
        return ""
    return (
        f"The connection to {facts.host} comes over {nic}, the very card that goes into the "
        f"bridge. It is cut for a moment. If we do not come back within {SECONDS} s, "
        "the host puts everything back by itself; have its console at hand all the same."
    )


@dataclass(frozen=True, slots=True)
class BridgeChange:
    """See `Change` for what the methods promise."""

    playbook: Change
    confirm: str = ""
    previews: bool = True

    def needs(self, lab: Lab, host: HostSpec) -> frozenset[Permission]:
        return self.playbook.needs(lab, host)

    def plan(self, lab: Lab, facts: Facts) -> tuple[PlannedStep, ...]:
        host, nic, bridge = facts.host, nic_of(lab, facts.host), lab.network.bridge
        if not nic:
            text = f"Nothing yet: the lab file has to name the card for {bridge} (bridge_nic)"
            return (PlannedStep(host, text),)
        over = ", over which we come" if nic != NO_CARD and carries_us(facts, nic) else ""
        source = (
            f"Make {bridge} for this host alone"
            if nic == NO_CARD
            else f"Make {bridge} from {nic}{over}: it takes the card's address and configuration"
        )
        return (
            PlannedStep(
                host, source, confirm=(why := consent(lab, facts)), typed=nic if why else ""
            ),
            *self.playbook.plan(lab, facts),
            PlannedStep(
                host, f"Else it puts everything back by itself, {SECONDS} s after it began at most"
            ),
        )

    def preview(self, work: Work, hosts: tuple[str, ...]) -> None:
        ready = self._ready(work, hosts)
        if ready:
            self.playbook.preview(work, ready)
        for host in set(hosts) - set(ready):
            work.emit(Note(host=host, text=_unnamed(work, host).what))

    def apply(self, work: Work, hosts: tuple[str, ...]) -> None:
        ready = self._ready(work, hosts)
        if ready:
            self.playbook.apply(work, ready)
        left = tuple(host for host in hosts if host not in ready)
        work.each(left, lambda host: _refuse(work, host))

    def _ready(self, work: Work, hosts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(host for host in hosts if nic_of(work.lab, host))


def bridge_playbook() -> Change:
    """Return the playbook as a change."""
    return PlaybookChange("bridge.yml", frozenset({Permission.NETWORK}), variables=variables)


def _unnamed(work: Work, host: str) -> ChangeError:
    return ChangeError(
        f"The lab file does not say from which network card {work.lab.network.bridge} is made",
        fix=f"Under {host} in the lab file, write bridge_nic: and one of these, or none for a "
        f"bridge without a card. There are: {choice_of(work.facts(host))}.",
        host=host,
    )


def _refuse(work: Work, host: str) -> None:
    raise _unnamed(work, host)
