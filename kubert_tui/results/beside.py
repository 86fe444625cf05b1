"""What the same run found beside a measurement: hardware latency, rtla timerlat."""

from dataclasses import dataclass

from kubert_tui.causes.store import StoredHwlat, StoredTimerlat, newest
from kubert_tui.latency.stored import StoredMeasurement


@dataclass(frozen=True, slots=True)
class Beside:
    """What there is; None where there is nothing of that boot."""

    hwlat: StoredHwlat | None = None
    timerlat: StoredTimerlat | None = None

    @property
    def hardware(self) -> int | None:
        """The longest gap that was seen above the limit, in us."""
        return self.hwlat.maximum if self.hwlat else None


def beside_of(stored: StoredMeasurement) -> Beside:
    """Return what the run of a measurement found on its host, in the same boot."""
    if not stored.run:
        return Beside()
    hwlat = newest(stored.run, stored.host, StoredHwlat)
    timerlat = newest(stored.run, stored.host, StoredTimerlat)
    boot = stored.fingerprint.boot_id
    return Beside(
        hwlat if hwlat and hwlat.boot_id == boot else None,
        timerlat if timerlat and timerlat.boot_id == boot else None,
    )
