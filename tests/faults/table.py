"""`python -m tests.faults.table [SESSION...]`: prints the fault table into docs/faults.md.

SESSION is a file that a run of the suite wrote; the last one if none is named. Of a case that is in
several of them the last outcome counts.
"""

import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from tests.faults.case import name_of
from tests.faults.catalogue import cases
from tests.faults.outcome import Outcome, Session, newest, read

DOCUMENT = Path(__file__).parents[2] / "docs" / "faults.md"

_HEAD = """\
# Faults, and what came of them

Printed by `python -m tests.faults.table` from a run of the suite; not written by hand.

|  |  |
|---|---|
| when | {date}, kubert-tui {version}, {minutes} minutes on two twins side by side |
| sessions | {sessions} |
| where | Linux {kernel}, {processors} processors; hosts: container twins of the practice lab |
| which cases | {profile} |
| struck | {times} times |
| recovered | {recovered} times |

Each case begins with hosts put back to a pristine state and runs `kubert-tui --auto` as a process
of its own. The fault strikes at a point that its events (or a package that is just being
configured) make exact. What was broken is mended as a person at the machine would do it, and the
same command is started again, with nothing cleaned up by hand. *Recovered* means that all of this
held afterwards:

- the exit code is that of an uninterrupted run, and every stage stands as it does there;
- packages, services and every file below /etc, /usr/local, /boot, /opt, /root, /home and our own
  directories on the host are as after an uninterrupted run on an equal host;
- nothing of ours is left there: no process, no file in /tmp, /var/tmp or /dev/shm, no unit;
- a further run finds nothing to do, and all its findings are those after an uninterrupted run;
- the host was not restarted more often than the run (and the fault) had to;
- there is one stored measurement, stored once (beside it only what is left of one that was cut
  off, labelled so); its buckets are those of cyclictest's own output,
  they add up to cyclictest's totals, the thread that ended the run has as many samples as were
  ordered, and no live histogram was ever above the final one.

A run that does not get through by itself ends with a failure that says what happened and what to
do, an exit code of its class, and no traceback. Latencies differ from run to run, so histograms
are compared with cyclictest's own figures and not with another run's.

| fault | stage | at | times | recovered | how |
|---|---|---|---|---|---|
"""

_NOTES = """
**Read with care.** The hosts are containers: they share this computer's kernel, so a reset ends
all their processes at once but cannot lose what a disk's cache holds. Restarts are those of the
hyperthreading stage, on a twin passed off as no container. *Half installed* is a package whose
configuration script stands still until the case lets it go on. A jumping clock is kubert-tui's own
here (its `time` module), and on the host what `date` answers: the computer's clock is left alone.
Installing and trying kernels is proved on virtual machines elsewhere.
"""


def joined(sessions: Sequence[Session], known: Collection[str]) -> Session:
    """Return the sessions as one: of each case its last outcome, if there still is that case."""
    last = {one.name: one for session in sessions for one in session.outcomes}
    outcomes = tuple(one for name, one in last.items() if name in known)
    return replace(sessions[-1], outcomes=outcomes, selected=len(outcomes), known=len(known))


def render(sessions: Sequence[Session], known: Collection[str]) -> str:
    """Return the document; `known` are the names of all cases that there are."""
    session = joined(sessions, known)
    outcomes = session.outcomes
    head = _HEAD.format(
        date=session.date,
        version=session.version,
        minutes=round(sum(one.seconds for one in outcomes) / 120),
        kernel=session.kernel,
        processors=session.processors,
        profile=session.profile,
        sessions=_sessions(sessions),
        times=sum(one.times for one in outcomes),
        recovered=sum(_recovered(one) for one in outcomes),
    )
    return head + "".join(_rows(outcomes)) + "".join(_troubles(outcomes)) + _NOTES


def _sessions(sessions: Sequence[Session]) -> str:
    if len(sessions) == 1:
        return "one"
    counts = [f"{one.date}: {len(one.outcomes)} cases" for one in sessions]
    return f"{'; '.join(counts)}. Of a case that was carried out again the last outcome counts"


def _rows(outcomes: Sequence[Outcome]) -> Iterator[str]:
    def key(one: Outcome) -> tuple[str, str]:
        return one.fault, one.stage

    first = {one.fault: number for number, one in reversed(list(enumerate(outcomes)))}
    for (fault, stage), found in groupby(
        sorted(outcomes, key=lambda one: (first[one.fault], one.fault, one.stage)), key
    ):
        group = list(found)
        cells = (
            fault,
            stage,
            "; ".join(dict.fromkeys(_at(one) for one in group)),
            str(sum(one.times for one in group)),
            str(sum(_recovered(one) for one in group)),
            "; ".join(dict.fromkeys(one.how or "**not recovered**" for one in group)),
        )
        yield f"| {' | '.join(cells)} |\n"


def _at(one: Outcome) -> str:
    return f"{one.at} ({one.detail})" if one.detail else one.at


def _recovered(one: Outcome) -> int:
    return 0 if one.trouble else one.times


def _troubles(outcomes: Sequence[Outcome]) -> Iterator[str]:
    bad = [one for one in outcomes if one.trouble]
    if bad:
        yield "\nNot recovered:\n\n"
    for one in bad:
        last = one.trouble.strip().splitlines()[-1][:200]
        yield f"- {one.fault}, {one.stage}, {_at(one)}: `{last}`\n"


def main() -> None:
    """Print the table of the sessions that are named, or of the last one."""
    paths = [Path(name) for name in sys.argv[1:]] or [newest()]
    DOCUMENT.write_text(render([read(path) for path in paths], {name_of(one) for one in cases()}))
    print(f"{DOCUMENT} from {', '.join(map(str, paths))}")


if __name__ == "__main__":
    main()
