"""`kubert-tui cluster status --watch`: tables, or on a terminal one that changes."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from kubert_tui.cli import main
from kubert_tui.cli.cluster_watch import Tables
from kubert_tui.events.cluster import ClusterHeard
from kubert_tui.events.model import Failure, Finished, Note
from tests.screens.sample_cluster import HEARD, LAB, LOST, WATCHED
from tests.screens.scripted_engine import CLOCK
from tests.screens.story import HOSTILE

ENDED = Finished(states={}, results=(), journal="j", exit_code=0)


def tables(*, terminal: bool = False) -> tuple[Tables, io.StringIO]:
    out = io.StringIO()
    console = Console(file=out, width=120, force_terminal=terminal, color_system=None)
    return Tables(LAB, console, clock=lambda: CLOCK), out


def test_a_table_whenever_something_changed_and_no_more() -> None:
    shown, out = tables()
    for event in (
        ClusterHeard(),
        Note(text="x"),
        WATCHED,
        HEARD,
        HEARD,
        replace(HEARD, heard=CLOCK),
    ):
        shown.show(event)
    text = out.getvalue()
    # Once before it was known to answer, once since.
    assert text.count("NODE") == 2
    for told in ("Ready, cordoned", "v1.35.2 (lab: 1.36.4)", "not joined", "4 of 6 given", "3d"):
        assert told in text
    assert "bull2: It takes no new pods until: kubectl uncordon bull2" in text
    nodes = (*WATCHED.cluster.nodes[:1], replace(WATCHED.cluster.nodes[1], cordoned=False))
    shown.show(replace(WATCHED, cluster=replace(WATCHED.cluster, nodes=nodes)))
    assert out.getvalue().count("NODE") == 3


def test_trouble_and_what_to_do() -> None:
    shown, out = tables()
    shown.show(replace(LOST, trouble=f"lost {HOSTILE}"))
    text = " ".join(out.getvalue().split())
    assert f"bull1: lost {HOSTILE}: check power and network" in text
    assert "not heard yet" in text
    shown.show(Failure(host="bull1", what="no way in", fix="a key"))
    assert "bull1 no way in a key" in out.getvalue()


def test_on_a_terminal_one_table_is_kept_up_to_date() -> None:
    shown, out = tables(terminal=True)
    for event in (WATCHED, HEARD, replace(HEARD, paused="it measures"), ENDED):
        shown.show(event)
    last = out.getvalue().split("NODE")[-1]
    assert "bull1: paused: it measures (heard 4s ago; Ctrl-C ends)" in " ".join(last.split())


def test_without_a_cluster(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["--lab", "local", "cluster", "status", "--watch"]) == 2
    assert "cluster" in capsys.readouterr().err
