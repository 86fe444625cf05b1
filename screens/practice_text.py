"""The words about practice machines: plain, for somebody who has never seen this program."""

from collections.abc import Mapping

from kubert_tui.practice.model import MACHINES, NAMES, Kind
from kubert_tui.practice.status import Standing, Status

TITLES = {
    Kind.CONTAINERS: "Containers",
    Kind.VIRTUAL: "Virtual machines",
    Kind.NODES: "Containers for Kubernetes",
}

TWINS = " and ".join(MACHINES)

INTRODUCTION = f"""\
Two Debian machines, {TWINS}, made on this computer to be thrown away. On them everything is \
allowed, so that you can do every stage for real before you do it on servers.

Nothing of this computer is changed. What is built is kept in a cache; the rest goes when you \
remove them, here or with `kubert-tui practice down`."""

_MAKE = {
    Kind.CONTAINERS: "Seconds to start. They run this computer's kernel, so that installing one "
    "cannot be tried on them.",
    Kind.NODES: "The same, and a cluster can be made of them: kubelet runs in them.",
    Kind.VIRTUAL: "A disk, a boot loader, kernels and restarts of their own, in software: slower, "
    "minutes to start.",
}
_BUILD = {
    Kind.CONTAINERS: "The first time about a minute to build, and half a gigabyte of disk.",
    Kind.NODES: "The first time about a minute to build, and half a gigabyte of disk.",
    Kind.VIRTUAL: "The first time ten minutes to build, and two gigabytes of disk.",
}
_BUILT = "Built before: nothing has to be fetched."
_OFF = "Made before, and not running now. What was done on them is kept."
_UP = f"{TWINS} are running: go on where you left off."
_REMOVE = "Deletes them, with everything that was done on them."

Seen = Mapping[Kind, Status | None]
"""How the labs stand; None (or nothing) where that could not be found out."""


def choices(seen: Seen) -> list[tuple[str, str, str]]:
    """Return what can be done: id (`up-KIND` or `down-KIND`), title, and words below it."""
    found: list[tuple[str, str, str]] = []
    for kind, title in TITLES.items():
        status = seen.get(kind)
        standing = status.standing if status else Standing.ABSENT
        if standing is Standing.ABSENT:
            cost = _BUILT if status and status.image_built else _BUILD[kind]
            found.append((f"up-{kind}", title, f"{_MAKE[kind]} {cost}"))
            continue
        up = standing is Standing.UP
        first = "go on" if up else "start again"
        found.append((f"up-{kind}", f"{title}: {first}", _UP if up else _OFF))
        found.append((f"down-{kind}", f"{title}: remove", _REMOVE))
    return found


def offer(seen: Seen) -> tuple[str, str]:
    """Return title and text of the choice among the labs that leads to practice machines."""
    title = "Practice: throw-away machines on this computer"
    up = _kinds(seen, Standing.UP)
    if up:
        return f"{title} (running)", f"{up} from before: go on with them, or remove them."
    off = _kinds(seen, Standing.OFF)
    if off:
        return f"{title} (off)", f"{off} from before: start them again, or remove them."
    return title, (
        "Two Debian machines to do every stage on for real. Nothing of this computer is changed, "
        "and one command removes them."
    )


def building(kind: Kind) -> str:
    """Return what follows, while the machines are made or started."""
    return (
        f"Then the wizard opens on the lab `{NAMES[kind]}`: {TWINS}, with everything allowed. It "
        "shows what it will run and asks before each change, just as on servers.\n\n"
        "The first time takes longest: what is built now is kept for the next time. Cancelling "
        "leaves nothing behind."
    )


REMOVING = "Then you are back at the choice. What was built stays in the cache for the next time."
"""What follows, while the machines are removed."""


STAYS = (
    f"Whatever you do here, you do to {TWINS} only. They keep running when you leave; to remove "
    "them: kubert-tui practice down"
)
"""What to know while the wizard is open on practice machines."""

STAY = (
    f"The practice machines {TWINS} keep running.",
    "To go on with them:  kubert-tui",
    "To remove them:      kubert-tui practice down",
)
"""What to know when it has been left, line by line."""


def _kinds(seen: Seen, standing: Standing) -> str:
    kinds = [kind for kind, status in seen.items() if status and status.standing is standing]
    return " and ".join(TITLES[kind].lower() for kind in kinds).capitalize()
