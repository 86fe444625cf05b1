"""A container image as a file that runtimes import: one layer, made without a registry."""

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Image:
    """What is in an image."""

    names: tuple[str, ...]
    """Under which it is known, with tags: `k8s.gcr.io/pause:3.2`."""
    files: Mapping[str, Path]
    """By path inside, absolute."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """Files of ours, executable."""
    links: Mapping[str, str] = field(default_factory=dict)
    """Symbolic links: where to."""
    entrypoint: tuple[str, ...] = ()
    directories: tuple[str, ...] = ("/tmp", "/run", "/etc", "/var/lib", "/var/tmp")


def write_archive(image: Image, file: Path, machine: str) -> None:
    """Write `image` for `machine` (`uname -m`) to `file`, as `docker save` would."""
    layer = _layer(image)
    digest = hashlib.sha256(layer).hexdigest()
    configuration = json.dumps({
        "architecture": _MACHINES.get(machine, machine),
        "os": "linux",
        "config": {"Env": [_PATH], "Entrypoint": list(image.entrypoint) or None},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
    }).encode()  # fmt: skip
    name = f"{hashlib.sha256(configuration).hexdigest()}.json"
    manifest = [{"Config": name, "RepoTags": list(image.names), "Layers": ["layer.tar"]}]
    with tarfile.open(file, "w") as archive:
        for member, content in (
            (name, configuration),
            ("layer.tar", layer),
            ("manifest.json", json.dumps(manifest).encode()),
        ):
            _add(archive, member, content, 0o644)


def _layer(image: Image) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as layer:
        for name in image.directories:
            entry = tarfile.TarInfo(name.lstrip("/"))
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if name.endswith("tmp") else 0o755
            layer.addfile(entry)
        for path, source in sorted(image.files.items()):
            _add(layer, path, source.read_bytes(), source.stat().st_mode & 0o777)
        for path, target in sorted(image.links.items()):
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            layer.addfile(entry)
        for path, text in sorted(image.texts.items()):
            _add(layer, path, text.encode(), 0o755)
    return out.getvalue()


def _add(archive: tarfile.TarFile, path: str, content: bytes, mode: int) -> None:
    entry = tarfile.TarInfo(path.lstrip("/"))
    entry.size, entry.mode = len(content), mode
    archive.addfile(entry, io.BytesIO(content))


def with_libraries(root: Path, paths: Sequence[str], told: str) -> dict[str, Path]:
    """Return files of `root` by path, links followed, and the libraries that ldd `told` of."""
    wanted = [*paths, *(word for word in told.split() if word.startswith("/"))]
    found: dict[str, Path] = {}
    for path in (name.rstrip(":") for name in wanted):
        found[path] = root / resolved(root, path).lstrip("/")
    return found


def resolved(root: Path, path: str) -> str:
    """Return where a path inside `root` leads, its links followed inside."""
    seen = Path("/")
    for part in Path(path).parts[1:]:
        here = root / str(seen / part).lstrip("/")
        if here.is_symlink():
            target = here.readlink()
            seen = Path(resolved(root, str(target if target.is_absolute() else seen / target)))
        else:
            seen = (seen / part) if part != ".." else seen.parent
    return str(seen)
