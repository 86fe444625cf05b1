"""The bytes of the cluster's watcher, cut into lines and read."""

import json
from collections.abc import Iterator

from kubert_tui.facts.live_cluster import LiveCluster, NonsenseError, Sign, told

LINE_LIMIT = 32 * 1024 * 1024
"""Bytes: 5000 pods of 2 KB are a third of it."""


class Lines:
    """Takes what arrives; what is not whole waits for the rest, nonsense is left out."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes, cluster: LiveCluster) -> Iterator[LiveCluster | Sign]:
        """Yield what each whole line makes of the cluster, one after another, and signs of life."""
        self._rest += data
        if b"\n" not in data:
            if len(self._rest) > LINE_LIMIT:
                self._rest.clear()
            return
        *whole, rest = bytes(self._rest).split(b"\n")
        self._rest = bytearray(rest)
        for line in whole:
            try:
                found = told(json.loads(line), cluster)
            except (ValueError, RecursionError, NonsenseError):
                continue
            if isinstance(found, LiveCluster):
                cluster = found
            yield found
