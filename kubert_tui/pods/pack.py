"""Makes the image of the pods that are measured, on a node, of what is installed there.

Runs there by itself, with nothing but Python 3.6:
    python3 pack.py RUNTIME SOCKET NAME CYCLICTEST

The image has cyclictest, a shell, the few programs that pod.sh needs, and their libraries: the
very files of the node, so that node and pod are measured by the same program. It is one layer, in
the format of `docker save`, and its tag is a digest of its content: what is there already is not
loaded again. Prints JSON: {"image": "NAME:TAG", "loaded": true}, or {"error": "..."}.
"""

import hashlib
import io
import json
import platform
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

PROGRAMS = ("sh", "chrt", "cut", "date", "flock", "head", "mv", "sleep", "taskset", "true")
MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
SEARCH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class PackError(Exception):
    """The image cannot be made, or not be loaded; says why."""


def program(name: str) -> str:
    """Where a program is."""
    found = shutil.which(name, path=SEARCH)
    if not found:
        raise PackError(f"there is no {name} on the node")
    return found


def libraries(path: str) -> "list[str]":
    """The libraries that a program is linked with, and its loader."""
    done = subprocess.run(  # noqa: UP022 -- Python 3.6
        [program("ldd"), path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False
    )
    told = done.stdout.decode(errors="replace")
    if done.returncode and "not a dynamic" not in told + done.stderr.decode(errors="replace"):
        raise PackError(f"ldd {path}: {told.strip() or 'failed'}")
    return re.findall(r"(?:^|\s)(/\S+)", told)


def content(cyclictest: str) -> "dict[str, bytes]":
    """By path in the image: what is there."""
    wanted = {cyclictest: cyclictest}
    wanted.update({f"/bin/{name}": program(name) for name in PROGRAMS})
    files = {path: Path(place).read_bytes() for path, place in wanted.items()}
    for place in list(wanted.values()):
        for library in libraries(place):
            files[library] = Path(library).read_bytes()
    return files


def layer(files: "dict[str, bytes]") -> bytes:
    """A tar of them: the same bytes for the same files."""
    out = io.BytesIO()
    # Distributions differ in where links lead; here every path is what it says.
    directories = {str(parent) for path in files for parent in Path(path).parents}
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path in sorted(directories - {"/"}):
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
        for path in sorted(files):
            add(archive, path, files[path], 0o755)
    return out.getvalue()


def add(archive: tarfile.TarFile, path: str, data: bytes, mode: int) -> None:
    """Add one file."""
    entry = tarfile.TarInfo(path.lstrip("/"))
    entry.size, entry.mode = len(data), mode
    archive.addfile(entry, io.BytesIO(data))


def image(name: str, files: "dict[str, bytes]") -> "tuple[str, bytes]":
    """The image's name with its tag, and the archive that a runtime loads."""
    data = layer(files)
    digest = hashlib.sha256(data).hexdigest()
    tag = f"{name}:{digest[:16]}"
    machine = platform.machine()
    configuration = json.dumps(
        {
            "architecture": MACHINES.get(machine, machine),
            "os": "linux",
            "config": {"Env": [f"PATH={SEARCH}"]},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
        }
    ).encode()
    config = f"{hashlib.sha256(configuration).hexdigest()}.json"
    manifest = [{"Config": config, "RepoTags": [tag], "Layers": ["layer.tar"]}]
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        add(archive, config, configuration, 0o644)
        add(archive, "layer.tar", data, 0o644)
        add(archive, "manifest.json", json.dumps(manifest).encode(), 0o644)
    return tag, out.getvalue()


def runtime(kind: str, socket: str) -> "tuple[list[str], list[str]]":
    """The commands that list the runtime's images, and that load one."""
    if kind == "docker":
        return ["docker", "images", "--format={{.Repository}}:{{.Tag}}"], ["docker", "load"]
    ctr = ["ctr", f"--address={socket}", "--namespace=k8s.io", "images"]
    return [*ctr, "list", "--quiet"], [*ctr, "import", "-"]


def run(argv: "list[str]", data: bytes = b"") -> str:
    """What a command prints; PackError when it fails."""
    try:
        done = subprocess.run(  # noqa: UP022 -- Python 3.6
            argv, input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False
        )
    except OSError as error:
        raise PackError(f"{argv[0]}: {error.strerror}") from error
    if done.returncode:
        said = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
        raise PackError(f"{' '.join(argv)}: {said[-1] if said else done.returncode}")
    return done.stdout.decode(errors="replace")


def main(arguments: "list[str]") -> "dict[str, object]":
    """Make the image, and load it if it is not there."""
    kind, socket, name, cyclictest = arguments
    listing, loading = runtime(kind, socket)
    try:
        tag, archive = image(name, content(cyclictest))
        if tag in run(listing).split():
            return {"image": tag, "loaded": False}
        run(loading, archive)
    except (PackError, OSError) as error:
        return {"error": str(error)}
    return {"image": tag, "loaded": True}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1:])))  # noqa: T201 -- its output
