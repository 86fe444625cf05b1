"""`kubert-tui` with stages that leave this machine as it is: `python -m tests.support.canary_run`.

The command line, its faces and everything behind them are the real ones; only the list of stages
is another. What they need to know is in the environment: CANARY_PLAYBOOK (of stage `playbook`),
CANARY_RELEASE (the file that stage `waits` waits for).
"""

import os
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from kubert_tui.cli import auto, wizard_command
from kubert_tui.cli.main import main
from kubert_tui.engine.session import Session
from kubert_tui.events.model import PlannedStep
from kubert_tui.facts.model import Facts
from kubert_tui.lab.model import HostSpec, Lab, Permission
from kubert_tui.screens.questions.desk import QuestionDesk
from kubert_tui.stages import s01_connect, s08_cyclictest
from kubert_tui.stages.model import Change, Stage, Work
from kubert_tui.stages.playbook_change import PlaybookChange
from tests.support.stages import GUIDE, NEW_KERNEL

PLAYBOOKS = Path(__file__).parents[1] / "fixtures" / "playbooks"


@dataclass(frozen=True)
class Bug:
    """A change with a bug whose error, local variables and cause all know the password."""

    confirm: str = ""
    previews: bool = False

    def needs(self, lab: Lab, host: HostSpec) -> frozenset[Permission]:
        return frozenset()

    def plan(self, lab: Lab, facts: Facts) -> tuple[PlannedStep, ...]:
        return (PlannedStep(facts.host, "fall over"),)

    def preview(self, work: Work, hosts: tuple[str, ...]) -> None:
        raise NotImplementedError

    def apply(self, work: Work, hosts: tuple[str, ...]) -> None:
        secret = work.secrets(hosts[0]).sudo
        password = secret.reveal() if secret else ""
        try:
            raise KeyError(password)
        except KeyError as error:
            raise RuntimeError(f"no idea what {password} is, nor {password!r}") from error


def _playbook(path: str, **variables: str) -> PlaybookChange:
    services = frozenset({Permission.SERVICES})
    return PlaybookChange(path, services, previews=False, variables=lambda *_: variables)


def _stage(name: str, change: Change) -> Stage:
    goals = frozenset({NEW_KERNEL.id})
    return Stage(name, name, GUIDE, (NEW_KERNEL,), goals, change=change, by_hand=True)


def stages() -> tuple[Stage, ...]:
    """Return the stages there are, by what happens in them."""
    release = os.environ.get("CANARY_RELEASE", "/nowhere")
    return (
        s01_connect.STAGE,
        _stage("root", _playbook(str(PLAYBOOKS / "root.yml"))),
        _stage("playbook", _playbook(os.environ.get("CANARY_PLAYBOOK", ""))),
        _stage("waits", _playbook(str(PLAYBOOKS / "waits.yml"), release=release)),
        _stage("bug", Bug()),
        s08_cyclictest.STAGE,
    )


def _crash(*_: object) -> None:
    raise RuntimeError("the wizard falls over while an answer is given")


if __name__ == "__main__":
    session = partial(Session, stages=stages())
    replaced: list[tuple[object, str, object]] = [
        (auto, "all_stages", stages),
        (auto, "Session", session),
        (wizard_command, "Session", session),
    ]
    if "CANARY_CRASH" in os.environ:
        replaced.append((QuestionDesk, "_done", _crash))
    for where, name, value in replaced:
        setattr(where, name, value)
    sys.exit(main())
