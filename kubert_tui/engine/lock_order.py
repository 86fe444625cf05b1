"""In which order a stage takes the locks of its hosts, so that no two operators block each other.

Whoever helps the others (the control plane, while a worker joins) comes first and alone, in the
order of the lab file. Two operators of one cluster meet there, before either has anything that the
other waits for; who does not get it takes nothing else.
"""

from dataclasses import dataclass, field

from kubert_tui.base.errors import CancelledError, KubertError
from kubert_tui.engine.work import StageWork


@dataclass(slots=True)
class LockOutcome:
    """How it went; a host (a pod's node) without an error is ours."""

    errors: dict[str, KubertError] = field(default_factory=dict)
    contested: bool = False
    """Somebody else was at work on one of them meanwhile."""


def lock_in_order(work: StageWork, first: tuple[str, ...], hosts: tuple[str, ...]) -> LockOutcome:
    """Take the locks of `first` one by one, then those of `hosts` side by side.

    Of what could not be taken in `first`, nothing follows. CancelledError comes out.
    """
    outcome = LockOutcome()

    def lock(host: str) -> None:
        if work.lock(host):
            outcome.contested = True

    ordered = tuple(one.name for one in work.lab.everyone if one.name in first)
    machines = dict.fromkeys(map(work.lab.machine_of, hosts))
    work.helpers = tuple(host for host in ordered if host not in machines)
    rest = tuple(host for host in machines if host not in ordered)
    for group in (*((host,) for host in ordered), rest):
        for host, error in work.all_of(group, lock).items():
            if isinstance(error, CancelledError):
                raise error
            if error is not None:
                outcome.errors[host] = error
        if outcome.errors:
            break
    return outcome
