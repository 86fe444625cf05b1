"""What we say and ask when somebody else works on a host."""

from kubert_tui.base.errors import BusyError
from kubert_tui.engine.asking import Ask
from kubert_tui.events.questions import Choice, QuestionKind
from kubert_tui.hosts.host_lock import Holder, span


class NotBrokenError(BusyError):
    """Somebody else works on a host, and was left in peace. Nothing was changed there."""


def ask_about(host: str, other: Holder, ask: Ask, *, denied: bool) -> Choice:
    """Show who works there; return BREAK, RETRY or NO. `denied`: we cannot take a lock there."""
    answer = ask(
        host=host,
        kind=QuestionKind.HOST_LOCK,
        text=f"{host} is being worked on by {other.describe()}.",
        details=_judgement(other),
        confirm=_consequence(other, denied=denied),
        choices=(Choice.RETRY, Choice.BREAK, Choice.NO),
    )
    return answer.choice


def refused_error(host: str, other: Holder) -> NotBrokenError:
    """Return the error of who leaves the other one in peace."""
    return NotBrokenError(
        f"the host is being worked on by {other.describe()}",
        fix="Wait until they have finished, then start this stage again. If they will not come "
        "back, break their lock (--break-lock, or in the wizard).",
        host=host,
    )


def lost_error(host: str, holder: Holder | None) -> BusyError:
    """Return the error of who was pushed aside; `holder` is who has the lock now."""
    what = "our lock was broken or removed; nobody has it now"
    if holder is not None:
        what = f"our lock is gone: the host is being worked on by {holder.describe()}"
    return BusyError(
        what,
        fix="Agree with the other operator who goes on, then start this stage again: it looks at "
        "the host anew, and asks before it takes the lock from anybody.",
        host=host,
    )


def _judgement(other: Holder) -> str:
    if other.about is None:
        return "There is a lock, but it says nothing we understand: it is damaged, or not ours."
    if other.left:
        return (
            f"A measurement is under way there for about another {span(other.left)}, whether its "
            "owner is connected or not."
        )
    if other.fresh:
        return "Their kubert-tui is at work there, or open and connected."
    silence = "There was no sign of life"
    if other.silent is not None:
        silence += f" for {span(other.silent)}"
    return (
        f"{silence}: it looks abandoned. Their kubert-tui was killed or has lost its connection; "
        "a change that it began may still be going on there."
    )


def _consequence(other: Holder, *, denied: bool) -> str:
    if denied:
        return "Without root rights the lock cannot be taken: you would work side by side."
    if other.left:
        return "Breaking the lock spoils their measurement."
    if other.fresh:
        return (
            "Breaking the lock ends in two operators changing one host: the other one is stopped "
            "at the next step only."
        )
    return "Breaking the lock stops them at their next step, should they come back."
