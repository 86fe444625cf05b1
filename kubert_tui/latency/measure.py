"""One measurement from its order to its believable result, across disconnections.

`measure` may be called again for the same order at any time: it starts the run if there is
none, attaches to it if it is under way, and collects its result if it has ended.
"""

import time
from dataclasses import replace
from threading import Event as Flag

from kubert_tui.base.errors import CancelledError, DetachedError, KubertError, MeasurementError
from kubert_tui.base.text import clean
from kubert_tui.hosts.interface import Host
from kubert_tui.latency.breaktrace import Stopped, threshold_of
from kubert_tui.latency.failures import (
    MeasurementCancelledError,
    MeasurementInterruptedError,
    explain,
    remarks,
)
from kubert_tui.latency.follow import Follower
from kubert_tui.latency.histogram import Snapshot
from kubert_tui.latency.launch import Outputs, Run, RunState, Stage
from kubert_tui.latency.loads import parse_loads, settled
from kubert_tui.latency.measurement import (
    INCONSISTENT,
    Hooks,
    Launched,
    Measured,
    MeasurementOrder,
)
from kubert_tui.latency.parse import SIZE_LIMIT, parse_final
from kubert_tui.latency.stream import at_or_below
from kubert_tui.latency.streaming import account

START_LIMIT = 15.0
"""Seconds from the start of the launcher to cyclictest's process."""
EXIT_LIMIT = 10.0
"""Seconds from the end of cyclictest to the record of its exit status."""
TURN = 0.1


def measure(
    host: Host,
    order: MeasurementOrder,
    *,
    directory: str,
    hooks: Hooks,
    cancel: Flag,
    detach: Flag,
    systemd: bool,
) -> Measured:
    """Carry out `order` on `host`; its files lie in `directory` there.

    Raises UnreachableError (the run goes on; call again to re-attach), DetachedError,
    MeasurementCancelledError, MeasurementInterruptedError (with what is known until then) and
    MeasurementError for everything that gives no believable result.
    """
    run = Run(host, directory, order.identity)
    state = run.look()
    attached = state.stage not in (Stage.ABSENT, Stage.PREPARED)
    if attached:
        run.check_order(order)
    else:
        _heed(cancel, detach, host)
        run.prepare(order)
        run.start(order, systemd=systemd)
    state = _await_process(run, state, order)
    last: Snapshot | None = None
    exact = True
    if state.stage is Stage.RUNNING and state.process:
        follower = Follower(
            run, order, state.process, hooks, attached=attached, cancel=cancel, detach=detach
        )
        try:
            follower.follow()
        finally:
            last, exact = follower.last, follower.exact
    else:
        _announce_ended(state, order, hooks, attached=attached)
    return _conclude(run, order, await_exit(run), last, hooks, exact=exact)


def _heed(cancel: Flag, detach: Flag, host: Host) -> None:
    if cancel.is_set():
        raise CancelledError("cancelled before the measurement began", host=host.name)
    if detach.is_set():
        raise DetachedError("let go before the measurement began", host=host.name)


def _await_process(run: Run, state: RunState, order: MeasurementOrder) -> RunState:
    """Wait for the launcher to record cyclictest's process."""
    deadline = time.monotonic() + START_LIMIT
    while state.stage not in (Stage.RUNNING, Stage.ENDED):
        if time.monotonic() > deadline:
            if state.stage is Stage.STARTING:
                raise MeasurementInterruptedError(
                    "the measurement was interrupted before it began",
                    host=run.host.name,
                    measured=None,
                )
            raise MeasurementError(
                f"cyclictest was not started within {START_LIMIT:.0f} s",
                host=run.host.name,
                command=order.command,
            )
        time.sleep(TURN)
        state = run.look()
    return state


def _announce_ended(
    state: RunState, order: MeasurementOrder, hooks: Hooks, *, attached: bool
) -> None:
    process = state.process
    if process:
        why = "it had already ended"
        hooks.started(
            Launched(order, process.pid, process.started, process.boot_id, attached, False, why)
        )


def await_exit(run: Run) -> RunState:
    """Wait for the exit status; without one (the launcher was killed) the output decides."""
    deadline = time.monotonic() + EXIT_LIMIT
    state = run.look()
    while state.exit_status is None and not state.rebooted and time.monotonic() < deadline:
        time.sleep(TURN)
        state = run.look()
    return state


def _conclude(
    run: Run,
    order: MeasurementOrder,
    state: RunState,
    last: Snapshot | None,
    hooks: Hooks,
    *,
    exact: bool,
) -> Measured:
    """Turn what cyclictest left behind into a result, or into the reason why there is none."""
    outputs = run.outputs()
    name = run.host.name
    try:
        measured = _read(order, state, outputs, last, exact=exact)
    except MeasurementError as error:
        trouble = _trouble(error, order, state, outputs, host=name)
        if isinstance(trouble, MeasurementCancelledError | MeasurementInterruptedError):
            left = _left(run, order, state, last, trouble.what)
            trouble.measured = left and _loaded(
                replace(left, policy=outputs.policy), state, outputs
            )
        raise trouble from error
    if order.stream == "verbose":
        measured = account(measured, run.recorded(order).last)
    measured = _loaded(measured, state, outputs)
    hooks.snapshot(measured.final)
    cycles = max(thread.samples for thread in measured.final.threads)
    if state.cancelled:
        what = f"cancelled after {cycles} of {order.loops} cycles"
        raise MeasurementCancelledError(
            what, host=name, measured=replace(measured, interrupted=what)
        )
    if measured.stopped:
        run.settled()
        return replace(measured, trace=run.trace())
    if cycles != order.loops:
        # The first thread that reaches --loops ends the run; every thread counts its own.
        what = f"cyclictest ended after {cycles} of {order.loops} cycles"
        raise MeasurementInterruptedError(
            what,
            host=name,
            measured=replace(measured, interrupted=what),
            fix="see what ended it (a signal gives this), then start the measurement again",
        )
    return measured


def _loaded(measured: Measured, state: RunState, outputs: Outputs) -> Measured:
    """Add what ran beside it."""
    if state.process is None:
        return measured
    began = state.process.start_ticks
    loads = parse_loads(outputs.loads, began)
    return replace(
        measured, loads=settled(loads, measured.final.elapsed, outputs.load_alive, began)
    )


def _trouble(
    error: MeasurementError,
    order: MeasurementOrder,
    state: RunState,
    outputs: Outputs,
    *,
    host: str,
) -> KubertError:
    """Return what to tell of a run without a whole output."""
    if state.cancelled:
        return MeasurementCancelledError("cancelled", host=host, measured=None)
    if state.rebooted or state.exit_status is None:
        why = "the host was started anew" if state.rebooted else "it was killed"
        what = f"the measurement was interrupted: {why}"
        return MeasurementInterruptedError(what, host=host, measured=None)
    return explain(
        error,
        order,
        host=host,
        stdout=outputs.stdout,
        stderr=outputs.stderr,
        exit_status=state.exit_status,
    )


def _left(
    run: Run, order: MeasurementOrder, state: RunState, last: Snapshot | None, why: str
) -> Measured | None:
    """Return what is known of a run that left no output.

    That is the newer of what we saw and what the recorder on the host has kept.
    """
    recorded = run.recorded(order).last
    known = [one for one in (last, recorded) if one is not None and one.samples]
    if not known or state.process is None:
        return None
    newest = max(known, key=_samples)
    final = replace(newest, sequence=(last.sequence if last else 0) + 1)
    return Measured(
        order=order,
        final=final,
        output="",
        exact=last is None or recorded is None or at_or_below(*sorted(known, key=_samples)),
        started=state.process.started,
        finished=state.process.started + final.elapsed,
        notes=("cyclictest left no output: these are its last figures that were read",),
        interrupted=why,
    )


def _samples(snapshot: Snapshot) -> int:
    return snapshot.samples


def _read(
    order: MeasurementOrder,
    state: RunState,
    outputs: Outputs,
    last: Snapshot | None,
    *,
    exact: bool,
) -> Measured:
    """Read a whole final output; MeasurementError when it is not whole."""
    if len(outputs.stdout) > SIZE_LIMIT:
        raise MeasurementError("cyclictest's output is too large")
    text = outputs.stdout.decode("utf-8", errors="replace")
    output = parse_final(text, cpus=order.cpus, histogram=order.histogram)
    started = state.process.started if state.process else 0.0
    elapsed = max(state.finished - started, 0.0) if state.finished else 0.0
    final = Snapshot(
        sequence=last.sequence + 1 if last else 1,
        elapsed=elapsed or (last.elapsed if last else 0.0),
        threads=output.threads,
        load=last.load if last else (0.0, 0.0, 0.0),
        final=True,
    )
    awake = output.dma_latency or state.held
    notes = list(remarks(order, final, outputs.stderr, dma_latency=awake))
    if state.exit_status is None:
        notes.append("cyclictest's exit status is not known; its output is whole")
    stopped = None
    if output.broke is not None:
        thread = output.threads[output.broke]
        stopped = Stopped(thread.maximum, thread.cpu, thread.samples)
        notes.insert(0, f"{stopped} (above {threshold_of(order.command)} us)")
    elif threshold := threshold_of(order.command):
        notes.insert(0, f"no sample was above {threshold} us, where breaktrace would have stopped")
    if last and not at_or_below(last, final):
        exact = False
    if not exact:
        notes.append(INCONSISTENT)
    return Measured(
        order=order,
        final=final,
        output=clean(text, line_limit=SIZE_LIMIT),
        exact=exact,
        started=started,
        finished=state.finished or started + final.elapsed,
        notes=tuple(notes),
        happened=outputs.happened,
        policy=outputs.policy,
        held=state.held,
        stopped=stopped,
    )
