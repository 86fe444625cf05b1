"""Looking at a lab's machines: what libvirt says of them, and whether they answer by ssh."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event as Flag

from kubert_tui.base.errors import CancelledError, HostKeyError, KubertError
from kubert_tui.base.text import clean_line
from kubert_tui.facts.fact import Fact, Known, Unknown
from kubert_tui.facts.model import Facts
from kubert_tui.facts.virtual import Libvirt, MachineSeen
from kubert_tui.hosts.interface import Invocation
from kubert_tui.machines import keys
from kubert_tui.machines.cases import cases_for
from kubert_tui.machines.guest import Guest, guests_of
from kubert_tui.machines.hypervisor import State
from kubert_tui.machines.seen import seen
from kubert_tui.machines.traits import traits_of
from kubert_tui.stages.model import Work

_LIMIT = 60.0
_AT_WORK = 3
_FAILED = 4
SET_UP_FAILED = "cloud-init failed"
"""What a hindrance begins with that no time will end."""
KEY_REFUSED = "its host key is not trusted"
"""The same; of an adopted machine, whose key is not ours, until somebody was asked."""
# A fresh machine answers before cloud-init has finished, which restarts sshd once: that is the
# end to wait for. 2: it finished with something to complain about. Its result is looked at first:
# on a slow machine the program alone takes longer to start than it may take here.
_READY = """\
command -v cloud-init >/dev/null || exit 0
grep -qs '"errors": \\[\\]' /run/cloud-init/result.json && exit 0
timeout 20 cloud-init status --wait >/dev/null 2>&1
case $? in
0 | 2) exit 0 ;;
124) exit 3 ;;
esac
cloud-init status --long 2>&1 | tail -n 5
exit 4
"""


def observe(work: Work, facts: Facts) -> Facts:
    """Return the facts with the lab's machines on that host, asked by ssh whether they answer."""
    found = machines_of(work, facts)
    if isinstance(found, Unknown):
        return replace(facts, libvirt=found)
    running = {one.name for one in found.value if one.state == State.RUNNING and not one.stray}
    silent = _hindrances(
        work, (one for one in guests_of(work.lab, facts.host) if one.name in running)
    )
    asked = tuple(replace(one, unreachable=silent.get(one.name, "")) for one in found.value)
    return _with(facts, asked)


def observe_quickly(work: Work, facts: Facts) -> Facts:
    """The same, asking libvirt only."""
    found = machines_of(work, facts)
    return (
        replace(facts, libvirt=found) if isinstance(found, Unknown) else _with(facts, found.value)
    )


def machines_of(work: Work, facts: Facts) -> Fact[tuple[MachineSeen, ...]]:
    """Return what libvirt on a host says of the lab's machines; unknown where it says nothing."""
    lab = work.lab
    if not lab.guests and not keys.kept(lab.name):
        return Known(())  # there are none, and never were
    try:
        with work.hypervisor(facts.host) as hypervisor:
            cases = cases_for(lab, facts, traits_of(facts))
            return Known(seen(hypervisor, lab.name, cases))
    except CancelledError:
        raise
    except KubertError as error:
        return Unknown(clean_line(f"{error.what} ({error.fix})" if error.fix else error.what))


def hindrance(work: Work, guest: Guest, cancel: Flag | None = None) -> str:
    """Return why a machine cannot be used by ssh yet, in a line; `` when it can.

    It can once it lets us in, with the key that we gave it, and cloud-init (where it has it) is
    done. What cloud-init failed at is told as the reason, too.
    """
    try:
        there = work.guest(guest)
        try:
            order = Invocation(["sh", "-c", _READY], timeout=_LIMIT, cancel=cancel)
            done = there.run(order)
        finally:
            there.close()
    except HostKeyError as error:
        return f"{KEY_REFUSED}: {clean_line(error.what)}"
    except KubertError as error:
        return clean_line(error.what)
    if done.ok:
        return ""
    if done.exit_status == _AT_WORK:
        return "cloud-init is still at work"
    if done.exit_status == _FAILED:
        return f"{SET_UP_FAILED}: {clean_line(done.stdout) or 'it does not say why'}"
    return f"asking cloud-init ended with status {done.exit_status}"


def _hindrances(work: Work, guests: Iterable[Guest]) -> dict[str, str]:
    asked = tuple(guests)
    if not asked:
        return {}
    with ThreadPoolExecutor(len(asked), thread_name_prefix="guest") as pool:
        reasons = pool.map(lambda guest: _asked(work, guest), asked)
        return {guest.name: reason for guest, reason in zip(asked, reasons, strict=True)}


def _asked(work: Work, guest: Guest) -> str:
    if guest.spec.adopted:
        # Somebody else made its host key (and it may want a password): a person is asked, once.
        try:
            work.host(guest.name)
        except CancelledError:
            raise
        except KubertError as error:
            return clean_line(error.what)
    return hindrance(work, guest, work.cancel)


def _with(facts: Facts, machines: tuple[MachineSeen, ...]) -> Facts:
    known = facts.libvirt.value if isinstance(facts.libvirt, Known) else Libvirt()
    return replace(facts, libvirt=Known(replace(known, machines=machines)))
