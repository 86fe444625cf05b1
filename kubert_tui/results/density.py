"""Density: how latencies grow with the number of applications beside them, host by host."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kubert_tui.lab.limits import Limit
from kubert_tui.latency.applications import DensityEnd
from kubert_tui.latency.statistics import summarise
from kubert_tui.latency.stored import StoredMeasurement
from kubert_tui.results.evidence import common_limit, evidence_of
from kubert_tui.results.ladder import FIGURES, Figures, figures_of
from kubert_tui.results.verdict import Grade, Verdict, judge

REMARKS = (
    "Latencies in us, all CPUs merged: a percentile is a bound, the maximum is what was seen. "
    "So many applications ran on each node; 0 is the same measurement without any."
)


@dataclass(frozen=True, slots=True)
class Point:
    """One step."""

    stored: StoredMeasurement
    applications: int
    figures: Figures
    """Under FIGURES."""
    verdict: Verdict

    @property
    def maximum(self) -> int:
        """The worst, in us."""
        return self.stored.summary.maximum

    def told(self) -> tuple[str, ...]:
        """Return the figures as text; `-` where there are too few samples."""
        return tuple("-" if one is None else str(one) for one in self.figures)

    def below(self, limit: Limit | None) -> bool | None:
        """Whether the worst is below the limit; None without one."""
        return None if limit is None else self.maximum < limit.microseconds


@dataclass(frozen=True, slots=True)
class Curve:
    """The steps of one host, by number of applications."""

    run: str
    host: str
    layer: str
    parent: str
    names: tuple[str, ...]
    """Of the applications."""
    points: tuple[Point, ...]
    limit: Limit | None
    ended: str = ""
    """Why there are no more steps; empty when no more were asked for."""

    @property
    def reached(self) -> int:
        """Applications in the last step."""
        return self.points[-1].applications

    @property
    def breaks(self) -> int | None:
        """Applications of the first step whose worst is not below the limit; None if all are."""
        over = (one for one in self.points if one.below(self.limit) is False)
        return next((one.applications for one in over), None)

    @property
    def statement(self) -> str:
        """Where the limit breaks, why there are no more steps, and what that is not worth."""
        told = [self._broken(), self.ended, *self._refused()]
        return "; ".join(filter(None, told))

    def _broken(self) -> str:
        first, last = self.points[0], self.points[-1]
        if self.limit is None:
            grown = f"the worst went from {first.maximum} us to {last.maximum} us"
            return f"no limit to judge by: {grown} at {_many(self.reached)}"
        limit = f"the limit of {self.limit.microseconds} us"
        if self.breaks is None:
            worst = max(one.maximum for one in self.points)
            return f"{limit} is not reached up to {_many(self.reached)}: the worst took {worst} us"
        worst = next(one.maximum for one in self.points if one.applications == self.breaks)
        if self.breaks == 0:
            return f"{limit} is broken without any application: the worst took {worst} us"
        return f"{limit} breaks at {_many(self.breaks)}: the worst took {worst} us"

    def _refused(self) -> Iterable[str]:
        """Why the figures prove nothing, each reason once."""
        refused = (one.verdict for one in self.points if one.verdict.grade is Grade.REFUSED)
        return dict.fromkeys(one.statement.rstrip(".") for one in refused)

    def json(self) -> dict[str, Any]:
        """Return it for machines."""
        return {
            "host": self.host,
            "layer": self.layer,
            "parent": self.parent,
            "run": self.run,
            "applications": list(self.names),
            "limit": self.limit.microseconds if self.limit else None,
            "breaks": self.breaks,
            "reached": self.reached,
            "ended": self.ended,
            "statement": self.statement,
            "points": [
                {
                    "applications": one.applications,
                    "pods": one.stored.applications.pods if one.stored.applications else 0,
                    "figures": dict(zip(FIGURES, one.told(), strict=True)),
                    "below": one.below(self.limit),
                    "samples": one.stored.summary.samples,
                    "seconds": one.stored.elapsed,
                    "verdict": one.verdict.statement,
                    "exact": one.stored.exact,
                    "identity": one.stored.identity,
                }
                for one in self.points
            ],
        }


def curves(
    measurements: Iterable[StoredMeasurement],
    limit: Limit | None = None,
    ends: Mapping[str, DensityEnd] | None = None,
) -> tuple[Curve, ...]:
    """Return a curve for each host of each density run, in the order in which they come.

    `limit` is what they are judged by; the one they were measured under if it is None. `ends`
    has, by run, why the steps ended. Of two measurements of one step the later counts; those that
    were cut off do not.
    """
    steps: dict[tuple[object, ...], dict[int, StoredMeasurement]] = {}
    for one in measurements:
        if one.applications is not None and not one.interrupted:
            key = (one.run, one.host, one.applications.fingerprint, one.command)
            kept = steps.setdefault(key, {}).get(one.applications.count)
            if kept is None or kept.started <= one.started:
                steps[key][one.applications.count] = one
    return tuple(
        _curve([by_count[count] for count in sorted(by_count)], limit, ends or {})
        for by_count in steps.values()
    )


def _curve(
    steps: Sequence[StoredMeasurement], limit: Limit | None, ends: Mapping[str, DensityEnd]
) -> Curve:
    applied = limit or common_limit(steps)
    last = steps[-1]
    about, end = last.applications, ends.get(last.run)
    ours = end is not None and about is not None and end.fingerprint == about.fingerprint
    return Curve(
        run=last.run,
        host=last.host,
        layer=last.layer,
        parent=last.parent,
        names=about.names if about else (),
        points=tuple(
            Point(
                one,
                one.applications.count if one.applications else 0,
                figures_of(summarise(one.snapshot())),
                judge(evidence_of(one), applied),
            )
            for one in steps
        ),
        limit=applied,
        ended=end.reason if ours and end else "",
    )


def headings() -> tuple[str, ...]:
    """Return what stands above `rows`."""
    return ("applications", *FIGURES, "limit")


def rows(curve: Curve) -> list[tuple[str, ...]]:
    """Return a row for each step."""
    words = {None: "none", True: "below", False: "NOT below"}
    return [
        (str(one.applications), *one.told(), words[one.below(curve.limit)]) for one in curve.points
    ]


def title(curve: Curve) -> str:
    """Return what a curve is of."""
    where = f"{curve.layer} of {curve.parent}" if curve.parent else curve.layer
    return f"{curve.host} ({where}): {' + '.join(curve.names)}"


def _many(count: int) -> str:
    return f"{count} application{'' if count == 1 else 's'}"
