"""Following a run that is under way: the sampler on the host, started again when it dies."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, Queue
from threading import Event as Flag
from threading import Thread

from kubert_tui.base.errors import (
    CancelledError,
    DetachedError,
    KubertError,
    MeasurementError,
)
from kubert_tui.base.text import last_lines
from kubert_tui.cpus.lists import cpu_list
from kubert_tui.hosts.interface import Completed, Invocation
from kubert_tui.latency.counters import Happened, told
from kubert_tui.latency.histogram import Snapshot
from kubert_tui.latency.launch import Process, Run, Stage
from kubert_tui.latency.measurement import Hooks, Launched, MeasurementOrder
from kubert_tui.latency.stream import (
    Blind,
    Counted,
    Ended,
    Message,
    SampleStream,
    StreamError,
    ThreadsFound,
    at_or_below,
)

TURN = 0.1
"""Seconds; how soon a set flag is seen."""
STOP_LIMIT = 30.0
"""Seconds cyclictest has to end after it was asked to."""
STOP_AGAIN = 2.0
"""Seconds after which it is asked again: it ignores the signal while it is just starting."""
FRUITLESS_LIMIT = 3
"""Samplers that ended without a sample before we go on without live figures."""


class Follower:
    """Follows one running measurement to its end, passing on what there is to see."""

    def __init__(
        self,
        run: Run,
        order: MeasurementOrder,
        process: Process,
        hooks: Hooks,
        *,
        attached: bool,
        cancel: Flag,
        detach: Flag,
    ) -> None:
        self.last: Snapshot | None = None
        self.exact = True
        self._run = run
        self._order = order
        self._process = process
        self._hooks = hooks
        self._attached = attached
        self._cancel = cancel
        self._detach = detach
        self._announced = False
        self._past_told = not attached
        self._before: bytes | None = None
        self._happened: Happened | None = None
        self._stop_asked: float | None = None
        self._stop_deadline = 0.0

    def follow(self) -> None:
        """Return when cyclictest has ended.

        Raises DetachedError, UnreachableError (it goes on in both cases), CancelledError (it
        could not be ended), MeasurementError (it does not measure what was ordered).
        """
        fruitless = 0
        reason = ""
        while fruitless < FRUITLESS_LIMIT:
            before = self.last
            reason = self._one_sampler() or reason
            if not self._still_running():
                self._announce(live=self.last is not None, reason=reason)
                return
            fruitless = 0 if self.last is not before else fruitless + 1
            if fruitless == 0:
                self._hooks.note("the live figures broke off; reading them anew")
            else:
                self._pause(0.5)
        self._announce(live=False, reason=reason or "the sampler ends at once")
        self._hooks.note(f"no live figures: {reason or 'the sampler ends at once'}")
        while self._still_running():
            self._pause(1.0)

    def _one_sampler(self) -> str:
        """Run one sampler until it ends; returns why it was of no use, if it said so."""
        sequence = self.last.sequence if self.last else 0
        stream = SampleStream(self._order.cpus, self._order.histogram, sequence)
        previous = self.last
        try:
            with self._sampler() as chunks:
                for chunk in chunks:
                    for message in stream.feed(chunk):
                        if isinstance(message, Snapshot) and previous is not None:
                            self.exact = self.exact and at_or_below(previous, message)
                            previous = None
                        self._take(message)
        except StreamError as error:
            return error.what
        except _SamplerFailedError as error:
            return str(error)
        return ""

    def _take(self, message: Message) -> None:
        match message:
            case Snapshot():
                self.last = message
                self._hooks.snapshot(message)
                self._tell_past()
            case ThreadsFound(cpus):
                self._check_threads(cpus)
                self._announce(live=True)
            case Counted(text):
                self._tell_counters(text)
            case Blind(reason):
                self._announce(live=False, reason=reason)
            case Ended():
                pass

    def _tell_past(self) -> None:
        """Tell what happened before we came; after the present, which must not wait for it."""
        if self._past_told:
            return
        self._past_told = True
        recorded = self._run.recorded(self._order)
        if recorded.last is not None:
            self._hooks.past(recorded)

    def _tell_counters(self, text: str) -> None:
        """Tell what firmware and hardware did since the beginning, whenever that has changed."""
        if self._before is None:
            self._before = self._run.counters_before()
        happened = told(self._before, text.encode())
        if happened != self._happened:
            self._happened = happened
            self._hooks.happened(happened)

    def _check_threads(self, cpus: tuple[str, ...]) -> None:
        """See that each thread is where the order says: cyclictest is silent when it is not."""
        order = self._order
        if len(cpus) != len(order.cpus):
            self._run.stop()
            raise MeasurementError(
                f"cyclictest measures {len(cpus)} CPUs, not the {len(order.cpus)} ordered"
                f" ({cpu_list(order.cpus)}), and was stopped",
                fix="see which CPUs the cpuset of the login and isolcpus allow",
                host=self._run.host.name,
                command=order.command,
            )
        astray = [
            f"{cpu} may run on {allowed}"
            for cpu, allowed in zip(order.cpus, cpus, strict=True)
            if allowed != str(cpu)
        ]
        if astray and not self._announced:
            self._hooks.note(f"threads not pinned to their CPU: {'; '.join(astray[:8])}")

    def _announce(self, *, live: bool, reason: str = "") -> None:
        if self._announced:
            return
        self._announced = True
        process = self._process
        self._hooks.started(
            Launched(
                self._order,
                process.pid,
                process.started,
                process.boot_id,
                self._attached,
                live,
                "" if live else reason or "it ended before it could be read",
            )
        )

    @contextmanager
    def _sampler(self) -> Iterator[Iterator[bytes]]:
        """Run a sampler; gives its output as it comes, and ends it on the way out."""
        done = Flag()
        queue: Queue[bytes | Completed | BaseException] = Queue()
        errors: list[bytes] = []
        invocation = Invocation(
            self._sampler_argv(),
            timeout=None,
            sudo=True,
            on_stdout=queue.put,
            on_stderr=lambda data: errors.append(data[:1000]) if len(errors) < 50 else None,
            cancel=done,
        )

        def work() -> None:
            try:
                queue.put(self._run.host.run(invocation))
            except BaseException as error:
                queue.put(error)

        thread = Thread(target=work, name=f"{self._run.host.name} sampler", daemon=True)
        thread.start()
        try:
            yield self._chunks(queue, errors)
        finally:
            done.set()
            thread.join(10)

    def _sampler_argv(self) -> tuple[str, ...]:
        process = self._process
        return (
            "python3",
            "-I",
            self._run.put_sampler(self._order),
            str(process.pid),
            str(process.start_ticks),
            process.boot_id,
            str(self._order.histogram),
            str(len(self._order.cpus)),
            ",".join(map(str, self._order.housekeeping)),
        )

    def _chunks(
        self, queue: "Queue[bytes | Completed | BaseException]", errors: list[bytes]
    ) -> Iterator[bytes]:
        while True:
            self._heed()
            try:
                item = queue.get(timeout=TURN)
            except Empty:
                continue
            if isinstance(item, bytes):
                yield item
            elif isinstance(item, KubertError):
                raise item
            elif isinstance(item, BaseException):
                raise _SamplerFailedError(f"the sampler cannot be run: {item}") from item
            elif item.ok:
                return
            else:
                said = last_lines(b"".join(errors), 1) or f"status {item.exit_status}"
                raise _SamplerFailedError(f"the sampler ended: {said}")

    def _still_running(self) -> bool:
        return self._run.look().stage is Stage.RUNNING

    def _heed(self) -> None:
        """Do what the flags ask for."""
        if self._detach.is_set() and self._stop_asked is None:
            raise DetachedError(
                "let go of the measurement; it goes on by itself", host=self._run.host.name
            )
        if not self._cancel.is_set():
            return
        now = time.monotonic()
        if self._stop_asked is None:
            self._stop_deadline = now + STOP_LIMIT
        elif now > self._stop_deadline:
            raise CancelledError(
                f"cancelled, but cyclictest did not end within {STOP_LIMIT:.0f} s",
                fix=f"end process {self._process.pid} on the host",
                host=self._run.host.name,
            )
        if self._stop_asked is None or now > self._stop_asked + STOP_AGAIN:
            self._stop_asked = now
            self._run.stop()

    def _pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._heed()
            if self._cancel.is_set() or self._detach.wait(TURN):
                return


class _SamplerFailedError(Exception):
    """The sampler ended without success; says why."""
