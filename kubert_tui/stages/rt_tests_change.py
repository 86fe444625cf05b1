"""rt-tests: its source got here, then built on every host; or only here, into our cache."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kubert_tui.base import paths
from kubert_tui.base.text import clean
from kubert_tui.events.model import Note, Output, PlannedStep
from kubert_tui.facts.model import Facts
from kubert_tui.lab.load_presets import LOAD_PRESETS, STRESS_NG
from kubert_tui.lab.model import HostSpec, Lab, Permission
from kubert_tui.rt_tests.build import RECIPE, build_here
from kubert_tui.rt_tests.source import Source, obtain
from kubert_tui.stages.model import Work
from kubert_tui.stages.playbook_change import PlaybookChange, family

PREFIX = "/usr/local"
_PACKAGES = frozenset({Permission.PACKAGES})
_BINARY_PACKAGES = {"fedora": "realtime-tests", "debian": "rt-tests"}

Obtain = Callable[[Work], Source]


def obtain_source(work: Work) -> Source:
    """Get the source that the lab asks for into our cache, telling how it goes."""
    return obtain(work.lab.rt_tests, paths.cache(), _teller(work), work.cancel)


@dataclass(frozen=True, slots=True)
class RtTestsChange:
    """Build and install rt-tests. See `Change` for what the methods promise."""

    confirm: str = ""
    previews: bool = True
    source: Obtain = obtain_source

    def needs(self, lab: Lab, host: HostSpec) -> frozenset[Permission]:
        return frozenset() if _only_cached(lab, host) else _PACKAGES

    def plan(self, lab: Lab, facts: Facts) -> tuple[PlannedStep, ...]:
        host = facts.host
        what = "package" if lab.rt_tests.source == "distribution" else "source"
        get = PlannedStep(host, f"Get the {what} of rt-tests: {_wish(lab)}")
        if _only_cached(lab, lab.host(host)):
            build = "Build it into kubert-tui's own cache; nothing is installed"
            return get, PlannedStep(host, build)
        return get, *_playbook(_from_plan).plan(lab, facts)

    def preview(self, work: Work, hosts: tuple[str, ...]) -> None:
        cached, installed = _split(work.lab, hosts)
        for host in cached:
            work.emit(Note(host=host, text="Would build rt-tests into kubert-tui's own cache."))
        if installed:
            source = self.source(work)
            _playbook(lambda lab, facts: _variables(source, lab, facts)).preview(work, installed)

    def apply(self, work: Work, hosts: tuple[str, ...]) -> None:
        source = self.source(work)
        work.emit(Note(text=f"rt-tests {source.version} from {source.origin}".replace("  ", " ")))
        cached, installed = _split(work.lab, hosts)
        if cached:
            self._build_here(work, cached, source)
        if installed:
            _playbook(lambda lab, facts: _variables(source, lab, facts)).apply(work, installed)

    def _build_here(self, work: Work, hosts: tuple[str, ...], source: Source) -> None:
        path = build_here(source, paths.cache(), _teller(work), work.cancel)
        for host in hosts:
            work.emit(Note(host=host, text=f"cyclictest is ready: {path}"))


def _only_cached(lab: Lab, host: HostSpec) -> bool:
    return host.connection == "local" and not lab.allow >= _PACKAGES


def _split(lab: Lab, hosts: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return (hosts that only get a build in our cache, hosts where it is installed)."""
    cached = tuple(name for name in hosts if _only_cached(lab, lab.host(name)))
    return cached, tuple(name for name in hosts if name not in cached)


def _playbook(variables: Callable[[Lab, Facts], Mapping[str, object]]) -> PlaybookChange:
    return PlaybookChange("rt-tests.yml", _PACKAGES, variables=variables)


def _load_packages(lab: Lab) -> Mapping[str, object]:
    """What the lab's load needs besides rt-tests; called the same in both families."""
    needed = LOAD_PRESETS[lab.cyclictest.load].tool == STRESS_NG
    return {"kubert_load_packages": [STRESS_NG]} if needed else {}


def _variables(source: Source, lab: Lab, facts: Facts) -> Mapping[str, object]:
    return {**_rt_tests(source, facts), **_load_packages(lab)}


def _rt_tests(source: Source, facts: Facts) -> Mapping[str, object]:
    if source.archive is None:
        # What the package is called is the host's matter, not this computer's.
        return {"rt_tests_package": _BINARY_PACKAGES.get(family(facts), source.binary_package)}
    return {
        "rt_tests_archive": str(source.archive),
        "rt_tests_sha256": source.sha256,
        "rt_tests_version": source.version,
        "rt_tests_prefix": PREFIX,
        "rt_tests_build_script": str(RECIPE),
    }


def _from_plan(lab: Lab, facts: Facts) -> Mapping[str, object]:
    """Return what is known before the source was got."""
    if lab.rt_tests.source == "distribution":
        package = _BINARY_PACKAGES.get(family(facts), "rt-tests")
        return {"rt_tests_package": package, **_load_packages(lab)}
    version = lab.rt_tests.version
    return {"rt_tests_version": version, "rt_tests_prefix": PREFIX, **_load_packages(lab)}


def _wish(lab: Lab) -> str:
    wish = lab.rt_tests
    version = "the default release" if wish.version == "default" else f"version {wish.version}"
    if wish.directory and wish.source in ("auto", "directory"):
        return f"your directory {wish.directory}"
    if wish.source == "auto":
        return f"{version}, from upstream, else the distribution's source, else its package"
    return f"{version}, from {wish.source}"


def _teller(work: Work) -> Callable[[str], None]:
    return lambda line: work.emit(Output(lines=(clean(line),)))
