"""What is asked of the cluster about pods of ours, on the control plane as its administrator."""

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kubert_tui.base.errors import KubertError, MeasurementError, UnreachableError
from kubert_tui.base.text import clean_line, last_lines
from kubert_tui.hosts.interface import Completed, Host, Invocation
from kubert_tui.pods.manifest import NAMESPACE, namespace

_KUBECTL = ("kubectl", "--kubeconfig=/etc/kubernetes/admin.conf", "--request-timeout=30s")
_THERE = re.compile(r"\(AlreadyExists\)|already exists")
_SOON = re.compile(r"serviceaccount|being terminated|because it is being", re.IGNORECASE)
"""What a namespace that was just made, or is just going away, refuses pods with."""
_SOON_LIMIT = 60.0
_ENDED = ("Succeeded", "Failed")


@dataclass(frozen=True, slots=True)
class PodStatus:
    """A pod as the API server tells of it."""

    uid: str
    phase: str
    quality: str
    trouble: str
    """Why it does not run, in words; `` when nothing is known to be wrong."""

    @property
    def ended(self) -> bool:
        """Whether its container has ended, or will never begin."""
        return self.phase in _ENDED


@dataclass(frozen=True, slots=True)
class Room:
    """The CPUs of a node, in thousandths."""

    allocatable: int
    requested: int

    @property
    def whole(self) -> int:
        """How many whole ones are free."""
        return max(self.allocatable - self.requested, 0) // 1000


class Cluster:
    """Asks. Methods raise what `Host.run` raises, and MeasurementError when kubectl fails."""

    def __init__(self, control_plane: Callable[[], Host], lost: Callable[[], None]) -> None:
        """`control_plane` gives a working connection; `lost` is told when it was none."""
        self._host = control_plane
        self._lost = lost

    def room(self, node: str) -> Room:
        """Return how much of a node's CPUs its pods have asked for."""
        told = self._json("get", "node", node)
        allocatable = _thousandths(_at(told, "status", "allocatable", "cpu"))
        where = f"--field-selector=spec.nodeName={node}"
        pods = self._json("get", "pods", "--all-namespaces", where).get("items") or []
        going = [one for one in pods if _at(one, "status", "phase") not in _ENDED]
        containers = [one for pod in going for one in _at(pod, "spec", "containers") or []]
        requested = sum(
            _thousandths(_at(one, "resources", "requests", "cpu")) for one in containers
        )
        return Room(allocatable, requested)

    def create(self, pod: Mapping[str, Any]) -> None:
        """Make a pod, and its namespace; that it is there already is no error."""
        deadline = time.monotonic() + _SOON_LIMIT
        while True:
            for one in (namespace(), pod):
                done = self._run("create", "--filename=-", stdin=json.dumps(one).encode())
                said = last_lines(done.stderr or done.stdout)
                if not done.ok and not _THERE.search(said):
                    break
            else:
                return
            if not _SOON.search(said) or time.monotonic() > deadline:
                raise self._error(done, "the pod cannot be made")
            time.sleep(0.5)

    def status(self, name: str) -> PodStatus | None:
        """Return how a pod stands; None if there is none."""
        done = self._run("get", "pod", name, "--ignore-not-found", "--output=json", ours=True)
        if not done.ok:
            raise self._error(done, "the pod cannot be looked at")
        if not done.stdout.strip():
            return None
        told = _read(done)
        status = told.get("status") or {}
        containers = status.get("containerStatuses") or [{}]
        waiting = _at(containers[0], "state", "waiting") or {}
        parts = [status.get("reason"), status.get("message")]
        if str(waiting.get("reason", "")).endswith(("Error", "BackOff", "ImageNeverPull")):
            parts += [waiting.get("reason"), waiting.get("message")]
        return PodStatus(
            uid=str(_at(told, "metadata", "uid")),
            phase=str(status.get("phase", "")),
            quality=clean_line(str(status.get("qosClass", "")), limit=40),
            trouble=clean_line(": ".join(str(part) for part in parts if part), limit=400),
        )

    def delete(self, name: str) -> None:
        """Remove a pod that has done what it was made for.

        At once: kubelets up to 1.21 take a minute to see that one which has ended is gone.
        """
        now = ("--ignore-not-found", "--grace-period=0", "--force", "--timeout=60s")
        done = self._run("delete", "pod", name, *now, ours=True, timeout=90)
        if not done.ok:
            raise self._error(done, f"the pod {name} cannot be removed")

    def leave(self) -> None:
        """Remove our namespace, unless a pod in it is still at work."""
        pods = self._json("get", "pods", ours=True).get("items") or []
        if any(_at(one, "status", "phase") not in _ENDED for one in pods):
            return
        done = self._run(
            "delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=120s", timeout=150
        )
        if not done.ok:
            raise self._error(done, f"the namespace {NAMESPACE} cannot be removed")

    def _json(self, *argv: str, ours: bool = False) -> dict[str, Any]:
        done = self._run(*argv, "--output=json", ours=ours)
        if not done.ok:
            raise self._error(done, "the cluster does not answer")
        return _read(done)

    def _run(
        self, *argv: str, stdin: bytes = b"", ours: bool = False, timeout: float = 60
    ) -> Completed:
        where = (f"--namespace={NAMESPACE}",) if ours else ()
        command = (*_KUBECTL, *where, *argv)
        invocation = Invocation(command, stdin=stdin, timeout=timeout, sudo=True)
        try:
            return self._host().run(invocation)
        except UnreachableError:
            # Whatever we ask for may be asked for twice.
            self._lost()
            return self._host().run(invocation)

    def _error(self, done: Completed, what: str) -> KubertError:
        return MeasurementError(
            what,
            fix="look with `kubert-tui cluster status`, then start it again",
            host=self._host().name,
            command=done.argv,
            exit_status=done.exit_status,
            details=last_lines(done.stderr or done.stdout),
        )


def _read(done: Completed) -> dict[str, Any]:
    try:
        told = json.loads(done.stdout)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise MeasurementError("kubectl printed something else than JSON", command=done.argv)
    return told


def _at(told: Any, *keys: str) -> Any:
    """What lies below `keys`; None where that is not there."""
    for key in keys:
        told = told.get(key) if isinstance(told, dict) else None
    return told


def _thousandths(quantity: object) -> int:
    """CPUs as Kubernetes writes them: `2`, `1900m`, `0.5`."""
    match = re.fullmatch(r"([0-9]{1,9})(?:\.([0-9]{1,9}))?(m?)", str(quantity or "0"))
    if match is None:
        return 0
    whole, fraction, milli = int(match[1]), f"{match[2] or ''}000"[:3], match[3]
    return whole if milli else whole * 1000 + int(fraction)
