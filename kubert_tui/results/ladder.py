"""The ladder: the latencies of each host, below them its virtual machines', their pods'."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kubert_tui.lab.limits import Limit
from kubert_tui.latency.statistics import Percentile, Summary, summarise
from kubert_tui.latency.stored import StoredMeasurement
from kubert_tui.results.evidence import evidence_of, limit_named, realtime, what_loaded
from kubert_tui.results.verdict import judge

FIGURES = ("p50", "p99", "p99.9", "max")
"""What is compared, in this order, in us."""
CONDITIONS = ("limit", "length", "load", "kernel", "tuning")
"""Without these a figure means nothing; in this order."""
REMARKS = (
    "Latencies in us, all CPUs merged: a percentile is a bound, the maximum is what was seen. "
    "Differences are a guest's figure minus that of the host that runs it, or a pod's minus that "
    "of its node."
)

LAYERS = ("host", "guest", "pod")
"""From the bottom up."""

Figures = tuple[Percentile | int | None, ...]
Deltas = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Rung:
    """One measurement in the ladder."""

    stored: StoredMeasurement
    figures: Figures
    """Under FIGURES."""
    deltas: Deltas
    """Against what is beneath, under FIGURES; () where that was not measured in the same run."""
    conditions: tuple[str, ...]
    """Under CONDITIONS."""
    verdict: str
    passed: bool | None
    depth: int = 0
    """How many are beneath it: 0 for a host, 2 for a pod in a virtual machine of that."""

    @property
    def inside(self) -> bool:
        """Whether it stands below another one."""
        return bool(self.depth)

    def json(self) -> dict[str, Any]:
        """Return it for machines."""
        return {
            "host": self.stored.host,
            "layer": self.stored.layer,
            "parent": self.stored.parent,
            "figures": dict(zip(FIGURES, self.told(), strict=True)),
            "deltas": dict(zip(FIGURES, self.deltas, strict=True)) if self.deltas else None,
            "samples": self.stored.summary.samples,
            "seconds": self.stored.elapsed,
            "interval": self.stored.interval,
            **dict(zip(CONDITIONS, self.conditions, strict=True)),
            "passed": self.passed,
            "verdict": self.verdict,
            "interrupted": self.stored.interrupted,
            "exact": self.stored.exact,
            "identity": self.stored.identity,
        }

    def told(self) -> tuple[str, ...]:
        """Return the figures as text; `-` where there are too few samples."""
        return tuple("-" if one is None else str(one) for one in self.figures)

    def told_deltas(self) -> tuple[str, ...]:
        """Return the differences as text; `?` where one of the two is not known."""
        return tuple(delta_text(one) for one in self.deltas)


def figures_of(summary: Summary) -> Figures:
    """Return what the ladder shows of a measurement, under FIGURES."""
    if not summary.samples:
        return (None,) * len(FIGURES)
    return (summary.p50, summary.p99, summary.p99_9, summary.maximum)


def deltas_of(above: Summary, beneath: Summary) -> Deltas:
    """Return what the layer above adds in us, under FIGURES; None where one is not known."""
    pairs = zip(figures_of(above), figures_of(beneath), strict=True)
    return tuple(
        None if one is None or two is None else one - two
        for one, two in ((_us(upper), _us(lower)) for upper, lower in pairs)
    )


def delta_text(delta: int | None) -> str:
    """Return a difference as it is shown."""
    return "?" if delta is None else f"{delta:+}"


def ladder(
    measurements: Iterable[StoredMeasurement], limit: Limit | None = None
) -> tuple[Rung, ...]:
    """Return a rung for each measurement: every host, then what stands on it in the same run.

    That is each of its machines and pods, followed by the pods in that machine. `limit` is what
    they are judged by; each by its own if it is None.
    """
    given = tuple(measurements)
    below = [(one, _beneath(one, given)) for one in given]

    def standing_on(base: StoredMeasurement | None, depth: int) -> Iterator[Rung]:
        for one, beneath in below:
            if beneath is base:
                yield _rung(one, beneath, limit, depth)
                yield from standing_on(one, depth + 1)

    return tuple(standing_on(None, 0))


def is_ladder(rungs: Sequence[Rung]) -> bool:
    """Whether something stands below what it runs on."""
    return any(rung.inside for rung in rungs)


def rows(rungs: Sequence[Rung]) -> list[tuple[str, ...]]:
    """Return all there is in rows under `headings()`: figures with their differences."""
    found = []
    for rung in rungs:
        name = f"{indent(rung.depth)}{rung.stored.host}"
        deltas = rung.told_deltas() or ("",) * len(FIGURES)
        figures = (f"{one} ({d})" if d else one for one, d in zip(rung.told(), deltas, strict=True))
        found.append((name, rung.stored.layer, *figures, *rung.conditions))
    return found


def indent(depth: int, corner: str = "└") -> str:
    """Return what stands before a name that is so deep in the ladder."""
    return f"{'  ' * (depth - 1)}{corner} " if depth else ""


def headings() -> tuple[str, ...]:
    """Return what stands above `rows`."""
    return ("where", "layer", *FIGURES, *CONDITIONS)


def _beneath(
    above: StoredMeasurement, measurements: Sequence[StoredMeasurement]
) -> StoredMeasurement | None:
    """Return the newest measurement of what it runs on, of the same run, of a layer beneath."""
    layers = LAYERS[: LAYERS.index(above.layer)]
    found = [
        one
        for one in measurements
        if above.parent
        and (one.host, one.run) == (above.parent, above.run)
        and one.layer in layers
        and _step(one) == _step(above)
    ]
    return max(found, key=lambda one: one.started, default=None)


def _step(stored: StoredMeasurement) -> int | None:
    """Return which step of a density run it is; None if it is none."""
    return stored.applications.count if stored.applications else None


def _rung(
    stored: StoredMeasurement, beneath: StoredMeasurement | None, limit: Limit | None, depth: int
) -> Rung:
    summary = summarise(stored.snapshot())
    applied = limit or limit_named(stored)
    verdict = judge(evidence_of(stored), applied)
    return Rung(
        stored=stored,
        figures=figures_of(summary),
        deltas=deltas_of(summary, summarise(beneath.snapshot())) if beneath else (),
        conditions=(
            _judged(applied, verdict.passed),
            f"{stored.elapsed:.0f} s, every {stored.interval} us",
            what_loaded(stored) or ("part of the time" if stored.loads else "none"),
            _kernel(stored),
            _tuning(stored),
        ),
        verdict=verdict.statement,
        passed=verdict.passed,
        depth=depth,
    )


def _us(figure: Percentile | int | None) -> int | None:
    if isinstance(figure, Percentile):
        return None if figure.at_least else figure.value
    return figure


def _judged(limit: Limit | None, passed: bool | None) -> str:
    if limit is None:
        return "none"
    word = {True: "met", False: "NOT met", None: "no verdict"}[passed]
    return f"{limit.microseconds} us: {word}"


def _kernel(stored: StoredMeasurement) -> str:
    kind = {True: "PREEMPT_RT", False: "not PREEMPT_RT", None: "PREEMPT_RT unknown"}
    return f"{stored.fingerprint.kernel} ({kind[realtime(stored)]})"


def _tuning(stored: StoredMeasurement) -> str:
    marks = stored.fingerprint
    told = {
        "isolated": marks.isolated or "none",
        "SMT": marks.smt,
        "governor": marks.governor or "none",
        "tuned": marks.tuned_profile or "none",
    }
    return ", ".join(
        f"{name} {'unknown' if text.startswith('unknown:') else text}"
        for name, text in told.items()
    )
