"""Where the rt-tests source comes from: the user's directory, upstream, the distribution.

`obtain` tries them in that order, says why each one was left, and keeps what it got: the
second call for the same wish makes no network access.
"""

from dataclasses import dataclass
from pathlib import Path
from threading import Event as Flag

from kubert_tui.base.download import sha256_of
from kubert_tui.base.errors import CancelledError, KubertError, ToolMissingError
from kubert_tui.lab.model import RtTestsSpec
from kubert_tui.rt_tests import directory, distribution, store, upstream
from kubert_tui.rt_tests.means import Means
from kubert_tui.rt_tests.processes import OnLine
from kubert_tui.rt_tests.versions import Release, resolve

_PLACES = ("upstream", "distribution-source", "distribution")


@dataclass(frozen=True, slots=True)
class Source:
    """What was found. Either `archive` is set, or `binary_package` is."""

    archive: Path | None
    """A tar.gz or tar.xz in our cache, verified."""
    version: str
    """The archive's; empty for a binary package (known only once it is installed)."""
    origin: str
    """Where it came from, for people."""
    sha256: str
    """Of `archive`."""
    tried: tuple[str, ...] = ()
    """What was tried before it, and why each was left."""
    binary_package: str = ""
    """`rt-tests` or `realtime-tests`: no source, use the distribution's binary."""


def obtain(
    spec: RtTestsSpec, cache: Path, on_line: OnLine, cancel: Flag, *, means: Means | None = None
) -> Source:
    """Return the source the lab asks for, from the first place that has it.

    `cache` is kubert-tui's cache directory. `on_line` gets progress. Raises UsageError (no
    such version), KubertError (the one place asked for does not have it), ToolMissingError
    (no place has it: `details` lists them all), CancelledError.
    """
    means = means or Means(on_line, cancel)
    if spec.directory and spec.source in ("auto", "directory"):
        return _from_directory(Path(spec.directory).expanduser(), cache)
    release = resolve(spec.version)
    places = _PLACES if spec.source == "auto" else (spec.source,)
    only = len(places) == 1
    # A distribution has one version. Whoever names a version gets that one or the next
    # place; whoever names the place gets what it has.
    exact = spec.version.strip() not in ("", "default") and not only
    kept = _cached(places, release, exact, cache)
    if kept is not None:
        on_line(f"rt-tests {kept.version} from the cache ({kept.origin})")
        return Source(kept.archive, kept.version, kept.origin, kept.sha256)
    tried: list[str] = []
    for place in places:
        try:
            if place == "distribution":
                return _binary(exact, tuple(tried))
            kept = _fetch(place, release, cache, means)
            if exact and kept.version != release.version:
                raise KubertError(f"it is {kept.version}, not {release.version}")
        except CancelledError:
            raise
        except KubertError as error:
            if only:
                raise
            tried.append(f"{place}: {error}")
            on_line(f"left {place}: {error}")
        else:
            on_line(f"rt-tests {kept.version} from {kept.origin}")
            return Source(kept.archive, kept.version, kept.origin, kept.sha256, tuple(tried))
    raise ToolMissingError(
        f"rt-tests {release.version} cannot be had from anywhere",
        fix="connect to a network, name another version, or give a source directory",
        details="\n".join(tried),
    )


def _cached(
    places: tuple[str, ...], release: Release, exact: bool, cache: Path
) -> store.Kept | None:
    for place in places:
        kept = store.find(cache, _key(place, release))
        if kept is not None and not (exact and kept.version != release.version):
            return kept
    return None


def _fetch(place: str, release: Release, cache: Path, means: Means) -> store.Kept:
    with store.workshop(cache) as work:
        if place == "upstream":
            archive, origin = upstream.fetch(release, work, means)
            version = release.version
        else:
            archive, version, origin = distribution.fetch(work, means)
        return store.keep(cache, _key(place, release), archive, version, origin)


def _binary(exact: bool, tried: tuple[str, ...]) -> Source:
    package = distribution.binary_package()
    if not package:
        raise KubertError("neither apt-get nor dnf is here")
    if exact:
        raise KubertError(f"the version of its package {package} cannot be chosen")
    return Source(None, "", f"the distribution's package {package}", "", tried, package)


def _from_directory(tree: Path, cache: Path) -> Source:
    with store.workshop(cache) as work:
        packed = work / "rt-tests.tar.gz"
        version = directory.pack(tree, packed)
        key = f"directory-{sha256_of(packed)[:16]}"
        kept = store.find(cache, key) or store.keep(cache, key, packed, version, str(tree))
    return Source(kept.archive, version, str(tree), kept.sha256)


def _key(place: str, release: Release) -> str:
    if place != "upstream":
        # One per system: whatever the distribution has, it is the same for every wish.
        return place
    return f"upstream-{release.version.replace('/', '-')}"
