"""Results that others measured, read into our form.

cyclictest's plain output of any version (also as OSADL's and SEAPATH's scripts write it, and the
bare table they plot), its --json of 2.x, all of it also compressed with gzip. What is not told is
written as unknown, so that a comparison shows it and a verdict is refused where it needs it.
"""

import gzip
import io
import zlib
from pathlib import Path

from kubert_tui.base.errors import MeasurementError, UsageError
from kubert_tui.base.text import clean_line
from kubert_tui.latency.parse import SIZE_LIMIT
from kubert_tui.latency.stored import StoredMeasurement
from kubert_tui.results.foreign_json import of_json
from kubert_tui.results.foreign_parts import Told
from kubert_tui.results.foreign_text import of_text


def read_foreign(path: Path, told: Told | None = None) -> StoredMeasurement:
    """Return the measurement in `path`; `told` is what its user knows about it.

    Raises UsageError when the file cannot be read or nobody tells the interval, and
    MeasurementError naming what in it is wrong.
    """
    told = told or Told()
    name = clean_line(path.name, limit=100)
    try:
        data = _contents(path)
        text = data.decode("utf-8", errors="replace")
        if text.lstrip().startswith("{"):
            return of_json(text, name, told)
        return of_text(text, name, told, path.stat().st_mtime)
    except OSError as error:
        raise UsageError(
            f"{clean_line(str(path))} cannot be read: {error.strerror or error}"
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise MeasurementError(
            f"{name} is no result of cyclictest: {clean_line(str(error), limit=200)}",
            fix="give what cyclictest printed with --histogram, or wrote with --json",
        ) from error


def _contents(path: Path) -> bytes:
    """Return the bytes, decompressed where they are compressed, at most as many as can be meant."""
    with path.open("rb") as file:
        data = file.read(SIZE_LIMIT + 1)
    if data.startswith(b"\x1f\x8b"):
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
                data = packed.read(SIZE_LIMIT + 1)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ValueError(f"it is no whole gzip file ({error})") from None
    if len(data) > SIZE_LIMIT:
        raise UsageError(f"{clean_line(str(path))} is too large to be a measurement")
    return data
