"""How one stage stands: on each host, over all of them, and in a line."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from kubert_tui.events.model import StageState

_WORST_FIRST = (
    StageState.FAILED,
    StageState.CANCELLED,
    StageState.RUNNING,
    StageState.DECLINED,
    StageState.NEEDS_YOU,
    StageState.NOT_ALLOWED,
    StageState.WOULD_CHANGE,
    StageState.SKIPPED,
    StageState.DONE,
    StageState.SATISFIED,
)


@dataclass(slots=True)
class StageStates:
    """The states of a stage's hosts, in the order in which they got them."""

    by_host: dict[str, StageState] = field(default_factory=dict)
    reason: str = ""
    """Why something was left or broken off; empty if nothing has to be said."""

    def __contains__(self, host: str) -> bool:
        return host in self.by_host

    def give(self, hosts: Iterable[str], state: StageState) -> None:
        """Put hosts into a state, whatever they were in."""
        self.by_host.update(dict.fromkeys(hosts, state))

    def rest(self, hosts: Iterable[str], state: StageState) -> None:
        """Put those hosts into a state that are in none."""
        self.give(self.without(hosts), state)

    def without(self, hosts: Iterable[str]) -> tuple[str, ...]:
        """Return those hosts that are in no state."""
        return tuple(host for host in hosts if host not in self.by_host)

    def those(self, hosts: Iterable[str], state: StageState) -> tuple[str, ...]:
        """Return those hosts that are in this state."""
        return tuple(host for host in hosts if self.by_host.get(host) is state)

    def overall(self) -> StageState:
        """Return the state over all hosts: the one that needs attention most."""
        states = self.by_host.values()
        return next((state for state in _WORST_FIRST if state in states), StageState.PENDING)

    def summary(self) -> str:
        """Say who is in which state, and why."""
        by_state: dict[StageState, list[str]] = {}
        for host, state in self.by_host.items():
            by_state.setdefault(state, []).append(host)
        text = "; ".join(f"{state}: {', '.join(names)}" for state, names in by_state.items())
        return f"{text} ({self.reason})" if self.reason else text
