"""One session over a real sshd whose connections break between and during stages."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kubert_tui.engine.session import Session
from kubert_tui.events.model import Event, Failure, HostConnected, StageFinished, StageState
from kubert_tui.events.questions import Answer, Choice, Question
from kubert_tui.lab.model import Lab
from tests.support.sshd import Sshd, start_sshd
from tests.support.stages import stage

pytestmark = pytest.mark.lab


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Sshd]:
    with start_sshd(tmp_path / "sshd") as running:
        yield running


def until_stage_ends(session: Session, events: Iterator[Event]) -> list[Event]:
    told = []
    for event in events:
        told.append(event)
        if isinstance(event, Question):
            session.answer(event.number, Answer(Choice.YES))
        if isinstance(event, StageFinished):
            break
    return told


def test_a_connection_that_broke_is_made_anew(server: Sshd) -> None:
    lab = Lab(hosts=(server.spec("bull1"),))
    session = Session(lab, stages=(stage("connect"),))
    events = session.events()
    session.submit("connect")
    first = until_stage_ends(session, events)
    assert [type(event) for event in first].count(HostConnected) == 1

    server.kill_connections()
    session.submit("connect")
    second = until_stage_ends(session, events)
    assert not [event for event in second if isinstance(event, Failure)]
    assert [type(event) for event in second].count(HostConnected) == 1

    server.stop()
    session.submit("connect")
    third = until_stage_ends(session, events)
    failure = next(event for event in third if isinstance(event, Failure))
    assert (failure.host, failure.exit_code) == ("bull1", 4)
    assert failure.fix
    ended = third[-1]
    assert isinstance(ended, StageFinished)
    assert ended.state is StageState.FAILED

    server.start()
    session.submit("connect")
    fourth = until_stage_ends(session, events)
    assert not [event for event in fourth if isinstance(event, Failure)]
    session.close()
    list(events)
