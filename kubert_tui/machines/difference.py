"""What differs between the definition that is wanted and the one that is there. Pure.

Both are reduced to the settings that we make; what libvirt adds by itself (addresses of devices,
aliases, controllers, defaults) does not count, and neither does how it spells a value.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kubert_tui.machines.xml import Element, parse

Settings = dict[str, str]
"""What a setting is called (`vcpupin 0`) to its value."""

_UNITS = {"b": 1 / 1024, "bytes": 1 / 1024, "k": 1, "kib": 1, "m": 1024, "mib": 1024}
_UNITS |= {"g": 1 << 20, "gib": 1 << 20, "t": 1 << 30, "tib": 1 << 30}


@dataclass(frozen=True, slots=True)
class Change:
    """One setting that is to be another. `` is: not there."""

    setting: str
    before: str
    after: str
    live: bool = False
    """Whether it can be changed while the machine runs; else it takes a restart."""

    def __str__(self) -> str:
        return f"{self.setting}: {self.before or 'not there'} -> {self.after or 'not there'}"


def difference(present: str, wanted: str) -> tuple[Change, ...]:
    """Return what has to change in the domain `present` (XML) for it to be as `wanted` (XML)."""
    before, after = settings(parse(present)), settings(parse(wanted))
    names = dict.fromkeys((*after, *before))
    return tuple(
        Change(name, before.get(name, ""), after.get(name, ""), _is_live(name, before, after))
        for name in names
        if before.get(name, "") != after.get(name, "")
    )


def settings(domain: Element) -> Settings:
    """Return the settings of a domain that definitions of ours make."""
    return dict(_of_domain(domain))


def _is_live(name: str, before: Settings, after: Settings) -> bool:
    """Whether libvirt takes it for a running domain: pins can move, but not be taken away."""
    kind, _, number = name.partition(" ")
    if not after.get(name):
        return False
    limits = {"vcpupin": "vcpus", "iothreadpin": "iothreads"}
    if kind not in limits:
        return kind == "emulatorpin"
    there = before.get(limits[kind], "")
    # vCPUs count from 0, iothreads from 1.
    return there.isdigit() and int(number) < int(there) + (kind == "iothreadpin")


def _of_domain(domain: Element) -> Iterator[tuple[str, str]]:
    yield "hypervisor", domain.get("type", "")
    yield "memory", f"{_kib(domain.find('memory'))} KiB"
    yield "vcpus", (domain.findtext("vcpu") or "").strip()
    yield "iothreads", (domain.findtext("iothreads") or "0").strip()
    machine = domain.find("os/type")
    if machine is not None:
        # `q35` becomes `pc-q35-7.2` when it is defined.
        yield "machine", re.sub(r"^pc-|-[0-9.]+$", "", machine.get("machine", ""))
    for one in _children(domain, "memoryBacking"):
        sizes = [f"{_kib(page, 'size')} KiB" for page in one.iter("page")]
        yield one.tag, ", ".join(sizes) or "yes"
    yield from _cpu_tuning(domain)
    for memory in domain.iterfind("numatune/memory"):
        yield "numatune", f"{memory.get('mode')} {_cpus(memory.get('nodeset', ''))}"
    pmu = domain.find("features/pmu")
    yield "pmu", pmu.get("state", "on") if pmu is not None else ""
    yield from _cpu(domain)
    for timer in domain.iterfind("clock/timer"):
        attributes = sorted((k, v) for k, v in timer.items() if k != "name")
        yield f"timer {timer.get('name')}", " ".join(f"{k}={v}" for k, v in attributes)
    yield from _devices(domain)


def _cpu_tuning(domain: Element) -> Iterator[tuple[str, str]]:
    for pin in domain.iterfind("cputune/vcpupin"):
        yield f"vcpupin {pin.get('vcpu')}", _cpus(pin.get("cpuset", ""))
    for pin in domain.iterfind("cputune/emulatorpin"):
        yield "emulatorpin", _cpus(pin.get("cpuset", ""))
    for pin in domain.iterfind("cputune/iothreadpin"):
        yield f"iothreadpin {pin.get('iothread')}", _cpus(pin.get("cpuset", ""))
    for one in domain.iterfind("cputune/vcpusched"):
        policy = f"{one.get('scheduler')} {one.get('priority', '')}".strip()
        # libvirt writes one element per range or one per vCPU.
        for vcpu in _numbers(one.get("vcpus", "")):
            yield f"vcpusched {vcpu}", policy


def _cpu(domain: Element) -> Iterator[tuple[str, str]]:
    cpu = domain.find("cpu")
    if cpu is None:
        return
    # Of a running domain host-model is spelt out: as a model of libvirt's, feature by feature.
    mode = cpu.get("mode", "custom")
    yield "cpu", "host-model" if mode == "custom" else mode
    topology = cpu.find("topology")
    if topology is not None:
        yield "topology", "x".join(topology.get(k, "1") for k in ("sockets", "cores", "threads"))
    for feature in cpu.iterfind("feature"):
        if feature.get("name") == "tsc-deadline":
            yield "feature tsc-deadline", feature.get("policy", "require")


def _devices(domain: Element) -> Iterator[tuple[str, str]]:
    for disk in domain.iterfind("devices/disk"):
        source, target, driver = disk.find("source"), disk.find("target"), disk.find("driver")
        what = [] if source is None else [source.get("pool", ""), source.get("volume", "")]
        if source is not None and not any(what):
            what = [source.get("file", "") or source.get("dev", "")]
        how = [] if driver is None else [driver.get(k, "") for k in ("type", "cache", "iothread")]
        bus = "" if target is None else target.get("bus", "")
        name = "?" if target is None else target.get("dev", "?")
        mode = "read-only" if disk.find("readonly") is not None else ""
        yield f"disk {name}", " ".join(filter(None, ("/".join(what), bus, *how, mode)))
    for card in domain.iterfind("devices/interface"):
        source, mac, model = card.find("source"), card.find("mac"), card.find("model")
        kind = card.get("type", "")
        name = "?" if mac is None else mac.get("address", "?").lower()
        where = "" if source is None else source.get(kind, "")
        yield f"interface {name}", f"{kind} {where} {'' if model is None else model.get('type')}"
    usb = [
        one.get("model", "default") for one in domain.iterfind("devices/controller[@type='usb']")
    ]
    yield "usb", "none" if usb == ["none"] else ""
    balloon = domain.find("devices/memballoon")
    yield "memballoon", "none" if balloon is not None and balloon.get("model") == "none" else ""


def _children(domain: Element, tag: str) -> list[Element]:
    found = domain.find(tag)
    return [] if found is None else [*found]


def _kib(one: Element | None, attribute: str = "") -> int:
    if one is None:
        return 0
    number = one.get(attribute, "0") if attribute else (one.text or "0").strip()
    unit = _UNITS.get(one.get("unit", "KiB").lower(), 1)
    return round(int(number) * unit) if number.isdigit() else 0


def _numbers(text: str) -> list[int]:
    """The numbers of libvirt's lists: `0-3,^2,7`."""
    found = set[int]()
    for part in filter(None, text.replace(" ", "").split(",")):
        first, _, last = part.removeprefix("^").partition("-")
        if first.isdigit() and (last or first).isdigit():
            numbers = range(int(first), min(int(last or first), int(first) + 4096) + 1)
            found = found.difference(numbers) if part[0] == "^" else found.union(numbers)
    return sorted(found)


def _cpus(text: str) -> str:
    return ",".join(map(str, _numbers(text)))
