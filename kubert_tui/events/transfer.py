"""How fast something goes and when it ends, from the progress that was told of it."""

from dataclasses import dataclass, replace

from kubert_tui.events.model import Progress

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_STEP = 1024


@dataclass(frozen=True, slots=True)
class Transfer:
    """Something on its way; `first` and `newest` are about the same."""

    first: Progress
    newest: Progress

    def followed_by(self, event: Progress) -> "Transfer":
        """Return how it stands after one more event, which may be about something else."""
        if event.what != self.newest.what or event.done < self.newest.done:
            return Transfer(event, event)
        return replace(self, newest=event)

    @property
    def rate(self) -> float | None:
        """Bytes per second since we look; None before there are two points."""
        seconds = self.newest.time - self.first.time
        done = self.newest.done - self.first.done
        return done / seconds if seconds > 0 and done > 0 else None

    @property
    def remaining(self) -> float | None:
        """Seconds; None when nobody can know."""
        if self.rate is None or self.newest.total is None:
            return None
        return max(0, self.newest.total - self.newest.done) / self.rate

    @property
    def part(self) -> float | None:
        """From 0 to 1; None when the end is unknown."""
        if not self.newest.total:
            return None
        return min(1.0, self.newest.done / self.newest.total)

    def figures(self) -> str:
        """Return `120 of 300 MiB, 40 %, 11.2 MiB/s`, as far as it is known."""
        done, total = self.newest.done, self.newest.total
        parts = [f"{size(done)} of {size(total)}" if total else size(done)]
        if self.part is not None:
            parts.append(f"{self.part:.0%}")
        if self.rate is not None:
            parts.append(f"{size(self.rate)}/s")
        return ", ".join(parts)


def size(number: float) -> str:
    """Return so many bytes as people read them: three digits, `1.21 GiB`."""
    value, unit = float(number), 0
    while value >= _STEP - 0.5 and unit < len(_UNITS) - 1:
        value, unit = value / _STEP, unit + 1
    digits = 0 if unit == 0 or value >= 100 else 1 if value >= 10 else 2
    return f"{value:.{digits}f} {_UNITS[unit]}"
