"""Following a measurement on a played host: every way it can go on and end."""

from dataclasses import replace
from threading import Event as Flag

import pytest

from kubert_tui.base.errors import (
    CancelledError,
    DetachedError,
    MeasurementError,
    UnreachableError,
)
from kubert_tui.hosts.interface import Completed, Invocation
from kubert_tui.latency.failures import (
    MeasurementCancelledError,
    MeasurementInterruptedError,
    OrderDiffersError,
)
from kubert_tui.latency.launch import Run
from tests.support.latency_host import BOOT, RUN, PlayedHost, breaks, sample, says, waits
from tests.support.latency_played import (
    FINAL,
    FIRST,
    ORDER,
    SECOND,
    THREADS,
    Told,
    carry_out,
    then_ends,
    under_way,
)


@pytest.fixture
def told() -> Told:
    return Told()


def test_a_run_from_its_start_to_its_result(told: Told) -> None:
    host = PlayedHost(stdout=FINAL)
    host.samplers = iter([then_ends(THREADS, FIRST, SECOND)])
    measured = carry_out(host, told)
    assert [start.live for start in told.started] == [True]
    assert not told.started[0].attached
    assert (told.started[0].pid, told.started[0].boot_id) == (4711, BOOT)
    assert [snapshot.samples for snapshot in told.snapshots] == [2, 5, 7]
    assert [snapshot.sequence for snapshot in told.snapshots] == [1, 2, 3]
    assert [snapshot.final for snapshot in told.snapshots] == [False, False, True]
    assert measured.exact
    assert measured.final.threads[0].counts == (0, 3, 1, 0, 0, 0, 0, 0, 0, 0)
    assert (measured.started, measured.finished) == (1000.5, 1001.5)
    assert measured.notes == ()
    assert len(host.starts) == 1
    assert host.starts[0][-3:] == ORDER.command


@pytest.mark.parametrize(
    ("kept", "policy"),
    [
        (b"fifo 90", "fifo 90"),
        (b"fifo 90, other 0", "fifo 90, other 0"),
        (b"", ""),
        (b"\x1b[31mfifo 90", ""),
        (b"fifo", ""),
    ],
)
def test_how_its_threads_were_scheduled(told: Told, kept: bytes, policy: str) -> None:
    host = PlayedHost(stdout=FINAL)
    host.samplers = iter([then_ends(THREADS, FIRST)])
    host.files[f"{RUN}/policy"] = kept
    assert carry_out(host, told).policy == policy


def test_under_systemd_it_is_a_unit_and_dollars_stay_dollars(told: Told) -> None:
    host = PlayedHost(stdout=FINAL)
    host.systemd = True
    carry_out(host, told, systemd=True)
    (argv,) = host.starts
    assert argv[:3] == ("systemd-run", "--unit=kubert-cyclictest-one.service", "--collect")
    assert argv[argv.index("--") + 1 :] == (
        "sh",
        f"{RUN}/run.sh",
        RUN,
        "0-1",
        "cyclictest",
        "--quiet",
        "--price=$$5",
    )


def test_where_systemd_takes_no_units_it_starts_by_itself(told: Told) -> None:
    host = PlayedHost(stdout=FINAL)
    carry_out(host, told, systemd=True)
    assert [argv[0] for argv in host.starts] == ["setsid"]


def test_a_run_under_way_is_attached_to(told: Told) -> None:
    host = under_way(PlayedHost(stdout=FINAL))
    host.samplers = iter([then_ends(THREADS, FIRST)])
    assert carry_out(host, told).exact
    assert told.started[0].attached
    assert host.starts == []


def test_a_run_that_has_ended_is_collected(told: Told) -> None:
    host = under_way(PlayedHost(stdout=FINAL))
    host.end()
    measured = carry_out(host, told)
    assert measured.final.samples == 7
    assert [(start.attached, start.live) for start in told.started] == [(True, False)]
    assert host.starts == []


def test_another_order_under_the_same_name_is_refused(told: Told) -> None:
    host = PlayedHost(stdout=FINAL)
    Run(host, "/runs", "one").prepare(replace(ORDER, command=("cyclictest", "--other")))
    host.begin()
    with pytest.raises(OrderDiffersError, match="other settings"):
        carry_out(host, told)


def test_a_sampler_that_dies_is_started_again(told: Told) -> None:
    host = PlayedHost(stdout=FINAL)
    again = sample(1, (2, 1, [1, 2]), (2, 1, [1, 2]))
    host.samplers = iter([says(THREADS, FIRST, then=137), then_ends(THREADS, again)])
    measured = carry_out(host, told)
    assert [snapshot.samples for snapshot in told.snapshots] == [2, 4, 7]
    assert [snapshot.sequence for snapshot in told.snapshots] == [1, 2, 3]
    assert measured.exact
    assert len(told.started) == 1
    assert "broke off" in told.notes[0]


def test_a_sampler_that_tells_nonsense_is_started_again(told: Told) -> None:
    host = PlayedHost(stdout=FINAL)
    lie = sample(1, (5, 1, [1, 1]), (1, 1, [1, 1]))
    host.samplers = iter([says(THREADS, lie), then_ends(THREADS, FIRST)])
    assert carry_out(host, told).exact
    assert [snapshot.samples for snapshot in told.snapshots] == [2, 7]


def test_live_figures_above_the_final_ones_are_not_exact(told: Told) -> None:
    host = PlayedHost(stdout=FINAL)
    host.samplers = iter([then_ends(THREADS, sample(1, (2, 3, [3, 2]), (0, 0, [])))])
    measured = carry_out(host, told)
    assert not measured.exact
    assert "not consistent" in measured.notes[-1]
    assert measured.final.samples == 7


def test_live_figures_that_shrink_are_not_exact(told: Told) -> None:
    host = PlayedHost(stdout=FINAL)
    fewer = sample(1, (0, 0, []), (1, 1, [1, 1]))
    host.samplers = iter([says(THREADS, FIRST, then=1), then_ends(THREADS, fewer)])
    assert not carry_out(host, told).exact


def test_without_a_sampler_it_goes_on_blindly(told: Told) -> None:
    host = PlayedHost(stdout=FINAL)

    def missing(host: PlayedHost, invocation: Invocation) -> Completed:
        assert invocation.on_stderr is not None
        invocation.on_stderr(b"sh: python3: not found\n")
        return Completed(tuple(invocation.argv), 127)

    host.samplers = iter([missing, missing, missing])
    state = host._state

    def ending() -> str:
        # The sixth look: after each sampler one, then while it waits blindly.
        if host.looks >= 6 and host.stage == "running":
            host.end()
        return state()

    host._state = ending  # type: ignore[method-assign]
    measured = carry_out(host, told)
    assert measured.final.samples == 7
    assert [(start.live, start.reason) for start in told.started] == [
        (False, "the sampler ended: sh: python3: not found")
    ]
    assert [snapshot.final for snapshot in told.snapshots] == [True]


def test_a_sampler_that_may_not_read_says_why(told: Told) -> None:
    host = PlayedHost(stdout=FINAL)
    host.samplers = iter([then_ends({"type": "blind", "reason": "not \x1b[1mpermitted"})])
    assert carry_out(host, told).final.samples == 7
    assert [(start.live, start.reason) for start in told.started] == [(False, "not permitted")]


def test_a_lost_connection_is_the_engines_to_mend(told: Told) -> None:
    host = PlayedHost(stdout=FINAL)
    host.samplers = iter([breaks])
    with pytest.raises(UnreachableError):
        carry_out(host, told)
    host.samplers = iter([then_ends(THREADS, FIRST)])
    assert carry_out(host, told).final.samples == 7
    assert len(host.starts) == 1


def test_detaching_leaves_it_running(told: Told) -> None:
    host = PlayedHost(stdout=FINAL)
    detach = Flag()

    def seen(host: PlayedHost, invocation: Invocation) -> Completed:
        detach.set()
        return waits(host, invocation)

    host.samplers = iter([seen])
    with pytest.raises(DetachedError):
        carry_out(host, told, detach=detach)
    assert host.stage == "running"
    assert not host.cancelled


def test_cancelling_ends_it_with_what_there_is(told: Told) -> None:
    host = PlayedHost(stdout=FINAL.replace(b"000003", b"000002"))
    cancel = Flag()

    def seen(host: PlayedHost, invocation: Invocation) -> Completed:
        cancel.set()
        assert invocation.cancel is not None
        while not host.cancelled:
            assert not invocation.cancel.wait(0.01)
        return Completed(tuple(invocation.argv), 0)

    host.samplers = iter([seen])
    with pytest.raises(MeasurementCancelledError, match="after 3 of 4 cycles") as caught:
        carry_out(host, told, cancel=cancel)
    assert caught.value.measured is not None
    assert caught.value.measured.final.samples == 6
    assert told.snapshots[-1].final


def test_cancelled_before_it_began_nothing_is_started(told: Told) -> None:
    cancel = Flag()
    cancel.set()
    host = PlayedHost()
    with pytest.raises(CancelledError):
        carry_out(host, told, cancel=cancel)
    assert host.files == {}
    assert host.starts == []


def test_fewer_cpus_than_ordered_end_it_early(told: Told) -> None:
    host = PlayedHost(stdout=FINAL)
    host.samplers = iter([says({**THREADS, "cpus": ["0"]})])
    with pytest.raises(MeasurementError, match="measures 1 CPUs, not the 2 ordered"):
        carry_out(host, told)
    assert host.cancelled


def test_threads_that_are_not_pinned_are_told(told: Told) -> None:
    host = PlayedHost(stdout=FINAL)
    host.samplers = iter([then_ends({**THREADS, "cpus": ["0", "0-1"]})])
    carry_out(host, told)
    assert told.notes == ["threads not pinned to their CPU: 1 may run on 0-1"]


def test_a_restarted_host_interrupted_it(told: Told) -> None:
    host = under_way(PlayedHost(status=""))
    host.end()
    host.boot = BOOT.replace("1", "9")
    with pytest.raises(MeasurementInterruptedError, match="started anew"):
        carry_out(host, told)


def test_a_result_from_before_the_restart_counts(told: Told) -> None:
    host = under_way(PlayedHost(stdout=FINAL))
    host.end()
    host.boot = BOOT.replace("1", "9")
    assert carry_out(host, told).final.samples == 7
