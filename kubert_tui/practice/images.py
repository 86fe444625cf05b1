"""The cache of images: one per recipe, built beside its place and renamed there whole."""

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from kubert_tui.base import paths
from kubert_tui.base.errors import BusyError, KubertError
from kubert_tui.practice import mounts, processes
from kubert_tui.practice.locking import locked
from kubert_tui.practice.pace import Pace

_BUILDS = "another kubert-tui builds this image"


class Builder(Protocol):
    """What of a `practice.driver.Driver` is about its image."""

    @property
    def kind(self) -> str:
        """What the names of its images begin with."""

    def recipe(self) -> str:
        """See Driver."""

    def build(self, target: Path, pace: Pace) -> None:
        """See Driver."""

    def discard(self, target: Path) -> None:
        """See Driver."""


class Images:
    """The images of one kind below `cache`."""

    def __init__(self, cache: Path, driver: Builder) -> None:
        self._cache = cache
        self._driver = driver
        key = hashlib.sha256(driver.recipe().encode()).hexdigest()[:16]
        self.path = cache / f"{driver.kind}-{key}"
        """Where the image of the present recipe is, once it is built."""
        self._lock = cache / f".{driver.kind}.lock"
        self.durations = cache / f"{driver.kind}-durations.json"
        """How long the steps of building and starting took."""

    @property
    def present(self) -> bool:
        """Whether the image of the present recipe is there: whole, or it would not be."""
        return self.path.is_dir()

    def ensure(self, pace: Pace) -> Path:
        """Return the image; build it first if need be. Nobody else builds this kind meanwhile."""
        if self.present:
            return self.path
        paths.private_directory(self._cache)
        with locked(self._lock, _BUILDS, pace.wait):
            self._remove_leftovers()
            if not self.present:
                self._build(pace)
        return self.path

    def clean(self) -> None:
        """Remove what an interrupted build left, unless somebody builds just now."""
        if not self._cache.is_dir():
            return
        with suppress(BusyError), locked(self._lock, _BUILDS):
            self._remove_leftovers()

    def size(self) -> int:
        """Bytes on disk of all images of this kind."""
        return sum(_size(path) for path in self._all())

    def remove(self) -> None:
        """Remove all images of this kind. BusyError while a machine runs from one."""
        if not self._cache.is_dir():
            return
        with locked(self._lock, _BUILDS):
            for image in self._all():
                if mounts.mentions(image) or processes.uses(image):
                    raise BusyError(
                        "another practice lab runs from the image in the cache",
                        fix="take that lab down first",
                    )
                # Never half an image under its name.
                doomed = image.rename(image.with_name(f".removing-{image.name}"))
                mounts.remove_tree(doomed)
            self._remove_leftovers()
            self.durations.unlink(missing_ok=True)
            self._lock.unlink()

    def _build(self, pace: Pace) -> None:
        target = self.path.with_name(f".building-{self.path.name}")
        target.mkdir(mode=0o700)
        try:
            self._driver.build(target, pace)
        except BaseException as error:
            self._driver.discard(target)
            if isinstance(error, KubertError):
                error.log = self._keep_log(target)
            mounts.remove_tree(target)
            raise
        target.rename(self.path)

    def _keep_log(self, target: Path) -> str:
        """Save `build.log` of a build that failed; return its path, empty if there is none."""
        log = target / "build.log"
        if not log.is_file():
            return ""
        return str(log.replace(self._cache / f"{self._driver.kind}-build.log"))

    def _remove_leftovers(self) -> None:
        for left in self._cache.glob(f".*-{self._driver.kind}-*"):
            self._driver.discard(left)
            mounts.remove_tree(left)
        # Whoever is killed while writing leaves the file that was to take another's place.
        for left in self._cache.glob(f".{self.durations.name}.*"):
            left.unlink()
        (self._cache / f"{self._driver.kind}-build.log").unlink(missing_ok=True)

    def _all(self) -> list[Path]:
        return [path for path in self._cache.glob(f"{self._driver.kind}-*") if path.is_dir()]


def _size(directory: Path) -> int:
    total = 0
    for entry in os.scandir(directory):
        total += entry.stat(follow_symlinks=False).st_blocks * 512
        if entry.is_dir(follow_symlinks=False):
            total += _size(Path(entry))
    return total
