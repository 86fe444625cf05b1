"""Requests to load a host that is measured: served at once, beside the stage at work."""

from collections.abc import Callable
from threading import Lock, Thread

from kubert_tui.base.errors import KubertError
from kubert_tui.events.measuring import LoadRefused
from kubert_tui.events.model import Event

Take = Callable[[str], None]
"""Starts or stops a load by the name of a preset; raises KubertError when that fails."""


class LoadRequests:
    """Who takes requests, by host. Thread-safe."""

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self._emit = emit
        self._takers: dict[str, Take] = {}
        self._lock = Lock()

    def taken_by(self, host: str, take: Take | None) -> None:
        """Remember who takes the requests for a host; None for nobody any more."""
        with self._lock:
            if take is None:
                self._takers.pop(host, None)
            else:
                self._takers[host] = take

    def serve(self, host: str, preset: str) -> None:
        """Pass a request on. Returns at once; what goes wrong is told by `LoadRefused`."""
        Thread(target=self._serve, args=(host, preset), name=f"{host} load", daemon=True).start()

    def _serve(self, host: str, preset: str) -> None:
        with self._lock:
            take = self._takers.get(host)
        if take is None:
            what = "nothing is measured there now"
            self._emit(LoadRefused(host=host, preset=preset, what=what))
            return
        try:
            take(preset)
        except KubertError as error:
            told = LoadRefused(host=host, preset=preset, what=error.what, fix=error.fix)
            self._emit(told)
