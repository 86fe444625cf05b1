"""What arrives on one output of a command: past our marker, and bounded."""

from kubert_tui.hosts.interface import OUTPUT_LIMIT, OnOutput

_NOISE_LIMIT = 64 * 1024


class Output:
    """One output. What comes before the marker line is noise of login shell or sudo."""

    def __init__(self, marker: bytes, sink: OnOutput | None) -> None:
        self._marker = marker
        self._sink = sink
        self._noise = bytearray()
        self._kept = bytearray()
        self.started = False
        self.rest_of_marker = b""
        """What followed the marker on its line."""
        self.truncated = False

    @property
    def noise(self) -> bytes:
        """What came before the marker, as far as it was kept."""
        return bytes(self._noise)

    @property
    def kept(self) -> bytes:
        """What the command wrote; empty if it went to a sink."""
        return bytes(self._kept)

    def feed(self, data: bytes) -> None:
        """Take the next bytes. An error of the sink is the caller's."""
        if not self.started:
            data = self._look_for_marker(data)
        if not data:
            return
        if self._sink is not None:
            self._sink(data)
            return
        room = OUTPUT_LIMIT - len(self._kept)
        self._kept += data[:room]
        self.truncated = self.truncated or len(data) > room

    def _look_for_marker(self, data: bytes) -> bytes:
        self._noise += data
        start = self._noise.find(self._marker)
        end = self._noise.find(b"\n", start) if start >= 0 else -1
        if end < 0:
            if start < 0:
                del self._noise[: -_NOISE_LIMIT or None]
            return b""
        self.started = True
        self.rest_of_marker = bytes(self._noise[start + len(self._marker) : end]).strip()
        rest = bytes(self._noise[end + 1 :])
        del self._noise[start:]
        return rest
