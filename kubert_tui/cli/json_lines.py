"""`--json`: every event as one JSON object per line."""

import json
from dataclasses import dataclass
from typing import TextIO

from kubert_tui.events.codec import encode
from kubert_tui.events.model import Event


@dataclass(frozen=True, slots=True)
class JsonLines:
    """Writes events to a stream, flushed line by line. The last one is `finished`."""

    output: TextIO

    def show(self, event: Event) -> None:
        """Write one event."""
        self.output.write(json.dumps(encode(event), separators=(",", ":")) + "\n")
        self.output.flush()
