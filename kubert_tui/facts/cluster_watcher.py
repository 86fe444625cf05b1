"""Watches what the API server knows, on the control plane. Runs there, by itself.

Usage: python3 - [HOUSEKEEPING_CPU,CPU,...] < cluster_watcher.py

Needs Python 3.6, kubectl and the right to read admin.conf; leaves nothing behind. Writes JSON:

  {"type": "nodes", "items": [...]}     all of them, cut down to what is shown, when any changed;
  {"type": "pods", "items": [...]}      likewise, and so are the newest
  {"type": "events", "items": [...]}
  {"type": "alive", "trouble": "", "paused": ""}    every ten seconds, and when it changes:
                                        the API server answers, or why it does not

What it costs: three `kubectl get --raw` that wait for the API server to tell of a change, and
every ten seconds one that asks whether it is ready. All of it is nice 19 on the housekeeping CPUs.
While cyclictest runs on this host nothing of that is done: every ten seconds it is looked whether
it still does.
"""

import contextlib
import json
import os
import re
import subprocess
import sys
import threading
import time
import typing
from pathlib import Path

KUBECONFIG = "/etc/kubernetes/admin.conf"
PERIOD = 10.0  # seconds between two signs of life
SETTLE = 0.3  # seconds that changes may gather
AGAIN = 3.0  # seconds until what ended is begun again
WATCH = 900  # seconds one watch lasts: what a kill leaves behind ends then
EVENTS = 200  # the newest that are told
Item = typing.Dict[str, typing.Any]  # noqa: UP006 -- Python 3.6
NOTHING = {"items": [], "metadata": {"resourceVersion": ""}}  # type: Item
PATHS = {"nodes": "/api/v1/nodes", "pods": "/api/v1/pods", "events": "/api/v1/events"}
CYCLICTEST = "cyclictest"
ABSENT = "there is no control plane here yet"


def kubectl(path: str, *more: str) -> "list[str]":
    """The command that asks the API server for a path."""
    return ["kubectl", "--kubeconfig", KUBECONFIG, *more, "get", "--raw", path]


def node(item: "Item") -> "Item":
    """What is told of a node."""
    meta, spec, status = item["metadata"], item.get("spec", {}), item.get("status", {})
    info = status.get("nodeInfo", {})
    addresses = status.get("addresses", [])
    return {
        "name": meta["name"],
        "created": meta.get("creationTimestamp", ""),
        "address": next((a["address"] for a in addresses if a["type"] == "InternalIP"), ""),
        "version": info.get("kubeletVersion", ""),
        "kernel": info.get("kernelVersion", ""),
        "runtime": info.get("containerRuntimeVersion", ""),
        "capacity": status.get("capacity", {}).get("cpu", ""),
        "allocatable": status.get("allocatable", {}).get("cpu", ""),
        "cordoned": bool(spec.get("unschedulable")),
        "conditions": [
            [c["type"], c["status"], c.get("reason", ""), c.get("message", "")]
            for c in status.get("conditions", [])
        ],
    }


def pod(item: "Item") -> "Item":
    """What is told of a pod."""
    meta, spec, status = item["metadata"], item.get("spec", {}), item.get("status", {})
    containers = status.get("containerStatuses", [])
    waiting = [c["state"]["waiting"] for c in containers if "waiting" in c.get("state", {})]
    conditions = [c for c in status.get("conditions", []) if c["status"] != "True"]
    unscheduled = [c.get("reason", "") for c in conditions if c["type"] == "PodScheduled"]
    return {
        "uid": meta["uid"],
        "namespace": meta.get("namespace", ""),
        "name": meta["name"],
        "node": spec.get("nodeName", ""),
        "created": meta.get("creationTimestamp", ""),
        "leaving": "deletionTimestamp" in meta,
        "phase": status.get("phase", ""),
        "why": next((w.get("reason", "") for w in waiting), "")
        or status.get("reason", "")
        or next(iter(unscheduled), ""),
        "qos": status.get("qosClass", ""),
        "cpus": [
            c.get("resources", {}).get("requests", {}).get("cpu", "0")
            for c in spec.get("containers", [])
        ],
        "restarts": sum(c.get("restartCount", 0) for c in containers),
    }


def event(item: "Item") -> "Item":
    """What is told of an event."""
    about = item.get("involvedObject", {})
    times = (item.get("lastTimestamp"), item.get("eventTime"))
    return {
        "warning": item.get("type") != "Normal",
        "kind": about.get("kind", ""),
        "namespace": about.get("namespace", ""),
        "name": about.get("name", ""),
        "node": item.get("source", {}).get("host", "") or item.get("reportingInstance", ""),
        "reason": item.get("reason", ""),
        "message": item.get("message", ""),
        "count": item.get("count") or 1,
        "time": next((t for t in times if t), item["metadata"].get("creationTimestamp", "")),
    }


TOLD = {"nodes": node, "pods": pod, "events": event}


def complaint(said: str, status: int) -> str:
    """What kubectl complains of, in one line."""
    if "[-]" in said:
        # It lists all its checks: those with a minus have failed.
        failed = re.findall(r"\[-\]([A-Za-z0-9/_.-]+)", said)
        return f"the API server is not ready yet: {', '.join(failed[:4])}"
    line = said.strip().split("\n")[-1].partition(" - did you specify")[0]
    return line or f"kubectl ended with status {status}"


class Watcher:
    """All that was told so far, and what has to be told on."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.found = {kind: {} for kind in PATHS}  # type: dict[str, dict[str, Item]]
        self.due = {}  # type: dict[str, float]
        self.troubles = {}  # type: dict[str, str]
        self.running = {}  # type: dict[str, subprocess.Popen[bytes]]
        self.stopped = threading.Event()

    def ask(self, path: str) -> "bytes | str":
        """What the API server answers, or in words why it does not."""
        argv = kubectl(path, "--request-timeout=8s")
        if not os.path.exists(KUBECONFIG):  # noqa: PTH110 -- Python 3.6 on some hosts
            return ABSENT
        try:
            done = subprocess.run(  # noqa: UP022 -- Python 3.6 knows no capture_output
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                timeout=12,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return "the API server does not answer"
        except OSError as error:
            return f"kubectl cannot be run: {error.strerror}"
        if done.returncode == 0:
            return done.stdout
        return complaint(done.stderr.decode("utf-8", "replace"), done.returncode)

    def trouble(self, source: str, what: str) -> None:
        """Remember what is wrong; `` for nothing any more."""
        with self.changed:
            if self.troubles.get(source) != what:
                self.troubles[source] = what
                self.due["alive"] = 0.0
                self.changed.notify()

    def follow(self, kind: str) -> None:
        """Keep `found[kind]` as the API server has it, until the watcher is stopped."""
        while not self.stopped.is_set():
            answer = self.ask(PATHS[kind])
            try:
                if answer == ABSENT:
                    self.all_of(kind, NOTHING)
                if isinstance(answer, str):
                    self.trouble(kind, answer)
                else:
                    version = self.all_of(kind, json.loads(answer.decode()))
                    self.trouble(kind, "")
                    self.changes(kind, version)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                self.trouble(kind, f"kubectl told what is none of its {kind}: {error!r}")
            self.stopped.wait(AGAIN)

    def all_of(self, kind: str, told: "Item") -> str:
        """Take a list; returns the version it belongs to."""
        with self.changed:
            items = told["items"]
            self.found[kind] = {one["metadata"]["uid"]: TOLD[kind](one) for one in items}
            self.due[kind] = 0.0
            self.changed.notify()
        return str(told["metadata"]["resourceVersion"])

    def changes(self, kind: str, version: str) -> None:
        """Take changes until the API server (or the network) ends the watch."""
        path = f"{PATHS[kind]}?watch=1&resourceVersion={version}&timeoutSeconds={WATCH}"
        process = subprocess.Popen(
            kubectl(path),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.running[kind] = process
        try:
            if self.stopped.is_set():
                return
            for line in process.stdout or ():
                told = json.loads(line.decode())
                if told["type"] == "ERROR":
                    return
                self.change(kind, told["type"], told["object"])
        finally:
            process.kill()
            process.wait()

    def change(self, kind: str, what: str, item: "Item") -> None:
        """Take one change."""
        known, uid = self.found[kind], item["metadata"]["uid"]
        new = None if what == "DELETED" else TOLD[kind](item)
        with self.changed:
            if known.get(uid) == new:
                return
            if new is None:
                del known[uid]
            else:
                known[uid] = new
            self.due.setdefault(kind, time.monotonic() + SETTLE)
            self.changed.notify()

    def tell(self) -> None:
        """Write what is due."""
        with self.changed:
            now = time.monotonic()
            due = [kind for kind, when in self.due.items() if when <= now]
            lines = [self.line(kind) for kind in due]
            for kind in due:
                del self.due[kind]
        for line in lines:
            write(**line)

    def rest(self) -> None:
        """Wait until something is due, or may be; a second at most."""
        with self.changed:
            wait = min([1.0, *(when - time.monotonic() for when in self.due.values())])
            if wait > 0:
                self.changed.wait(wait)

    def line(self, kind: str) -> "Item":
        """One line of output."""
        if kind == "alive":
            what = next((what for what in self.troubles.values() if what), "")
            return {"type": "alive", "trouble": what, "paused": ""}
        items = list(self.found[kind].values())
        if kind == "events":
            items = sorted(items, key=lambda one: str(one["time"]))[-EVENTS:]
        return {"type": kind, "items": items}

    def look(self) -> None:
        """See every period whether the API server is ready."""
        while not self.stopped.wait(PERIOD):
            answer = self.ask("/readyz")
            self.trouble("ready", answer if isinstance(answer, str) else "")
            with self.changed:
                self.due["alive"] = 0.0
                self.changed.notify()

    def stop(self) -> None:
        """End what runs."""
        self.stopped.set()
        for process in list(self.running.values()):
            process.kill()


def write(**line: object) -> None:
    """Write one line, at once."""
    print(json.dumps(line, separators=(",", ":")), flush=True)  # noqa: T201 -- its output


def measured(processes: Path = Path("/proc")) -> bool:
    """Whether cyclictest runs on this host."""
    for entry in processes.glob("[0-9]*/comm"):
        with contextlib.suppress(OSError):
            if entry.read_text(errors="replace").strip() == CYCLICTEST:
                return True
    return False


def step_aside(cpus: str) -> None:
    """Give way to everything else, on the housekeeping CPUs `0,1`."""
    os.nice(19)
    # Without housekeeping CPUs, or where choosing is not allowed, the scheduler chooses.
    with contextlib.suppress(OSError, ValueError):
        os.sched_setaffinity(0, {int(cpu) for cpu in cpus.split(",")})


def watch() -> None:
    """Tell what there is until cyclictest begins here."""
    watcher = Watcher()
    for work in (*PATHS, ""):
        target, arguments = (watcher.follow, (work,)) if work else (watcher.look, ())
        threading.Thread(target=target, args=arguments, daemon=True).start()
    next_look = 0.0
    try:
        while True:
            if time.monotonic() >= next_look:
                next_look = time.monotonic() + PERIOD
                if measured():
                    return
            watcher.tell()
            watcher.rest()
    finally:
        watcher.stop()


def main(arguments: "list[str]") -> int:
    """Run; returns the exit status."""
    step_aside(arguments[0] if arguments else "")
    try:
        while True:
            watch()
            while measured():
                write(type="alive", trouble="", paused="cyclictest measures on this host")
                time.sleep(PERIOD)
    except BrokenPipeError:
        # Nothing is left to flush when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
