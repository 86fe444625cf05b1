"""Orders about machines that are there: looked at, confirmed, locked, done, and looked at again."""

from dataclasses import dataclass
from pathlib import Path

from kubert_tui.base.errors import CancelledError, KubertError
from kubert_tui.base.text import clean_line
from kubert_tui.engine.work import StageWork, failure
from kubert_tui.events.model import Note, OrderEnded, OrderStarted, StageState
from kubert_tui.lab.edit_machines import remove_machine
from kubert_tui.lab.model import Permission
from kubert_tui.machines.order import CHANGING, Action, Order
from kubert_tui.stages.machines_acts import Raw, act, chosen, forget_keys, hosts_of

STAGE = "machines"
"""The stage whose events they are."""


@dataclass(slots=True)
class OrderRun:
    """Carries one order out on all hosts that it is about."""

    work: StageWork
    order: Order
    raw: Raw | None = None

    def run(self) -> StageState:
        """Do it, and tell how it went. KubertErrors end in the state."""
        action, names = str(self.order.action), self.order.names
        self.work.emit(OrderStarted(action=action, machines=names))
        state, summary = StageState.DONE, ""
        try:
            self._run()
        except CancelledError as error:
            state, summary = StageState.CANCELLED, error.what
        except KubertError as error:
            self.work.emit(failure(error))
            state, summary = StageState.FAILED, error.what
        ended = OrderEnded(action=action, machines=names, state=state, summary=summary)
        self.work.emit(ended)
        return state

    def _run(self) -> None:
        order, lab = self.order, self.work.lab
        changing = order.action in CHANGING
        if changing and Permission.MACHINES not in lab.allow:
            raise KubertError(
                f"the lab file does not allow to {order.action} machines",
                fix="add `machines` to `allow` in the lab file, or: --set allow=machines",
            )
        if changing and self.work.locks is None:
            raise KubertError(f"a dry run does not {order.action} machines")
        order.check_confirmed(lab.name)
        hosts = hosts_of(lab, order)
        self.work.each(hosts, self._look)
        if order.action is Action.LIST and not order.names:
            return
        machines = chosen(self.work, hosts, order)
        if order.action is Action.LIST:
            return
        everything = order.action is Action.DESTROY and not order.names
        there = hosts if everything else tuple(host for host in hosts if machines[host])
        if changing:
            self.work.each(there, self._lock)
            machines = chosen(self.work, hosts, order)
        try:
            self.work.each(
                there, lambda host: act(self.work, host, order, machines[host], self.raw)
            )
            if everything:
                forget_keys(self.work)
            if order.action is Action.RELEASE:
                self._forget()
        finally:
            if changing and not self.work.cancel.is_set():
                self.work.all_of(there, self.work.look_again)
        if changing:
            self.work.each(there, self.work.settle_lock)

    def _look(self, host: str) -> None:
        self.work.look_again(host)

    def _forget(self) -> None:
        """Take what was let go out of the lab file, if it is written there."""
        file = self.work.lab_file
        for name in self.order.names:
            if file and remove_machine(Path(file), name):
                text = f"{name} is taken out of {clean_line(file)}; who has it open sees it then"
                self.work.emit(Note(text=f"{text} at the next start"))

    def _lock(self, host: str) -> None:
        if self.work.lock(host):
            # Somebody else was at work there: what there is may be something else now.
            self.work.look_again(host)
