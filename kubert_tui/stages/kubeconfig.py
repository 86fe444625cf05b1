"""The cluster's administrator for kubectl: kept here for its owner only, merged on request."""

import os
from base64 import b64decode
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_pem_x509_certificate

from kubert_tui.base import paths
from kubert_tui.base.errors import ChangeError, UsageError
from kubert_tui.hosts.interface import Host

ADMIN = "/etc/kubernetes/admin.conf"
_PARTS = (("clusters", "cluster"), ("users", "user"), ("contexts", "context"))


def kubeconfig_path(lab: str) -> Path:
    """Return where the kubeconfig of a lab's cluster is kept here (it may not be there)."""
    return paths.state() / "clusters" / lab / "kubeconfig"


def export_kubeconfig(control_plane: Host, lab: str) -> Path:
    """Fetch the administrator's kubeconfig, name it after the lab, keep it (0600); return where.

    Raises KubertError when there is none or it is not what kubeadm writes.
    """
    text = control_plane.get(ADMIN, sudo=True)
    try:
        renamed_config = renamed(yaml.safe_load(text), lab)
    except (yaml.YAMLError, ValueError, UnicodeDecodeError):
        raise ChangeError(
            f"{ADMIN} is not what kubeadm writes",
            fix="kubeadm init phase kubeconfig admin, there, makes it anew",
            host=control_plane.name,
        ) from None
    path = kubeconfig_path(lab)
    paths.write_private(path, yaml.safe_dump(renamed_config, sort_keys=False))
    return path


def renamed(config: Any, lab: str) -> dict[str, Any]:
    """Return kubeadm's kubeconfig with cluster, user and context called `kubert-LAB`.

    ValueError if it is none with one of each.
    """
    name = f"kubert-{lab}"
    parts: dict[str, Any] = {}
    for plural, single in _PARTS:
        given = config.get(plural) if isinstance(config, Mapping) else None
        if not (isinstance(given, list) and len(given) == 1 and isinstance(given[0], Mapping)):
            raise ValueError(f"expected one of {plural}")
        parts[plural] = [{"name": name, single: given[0].get(single)}]
    parts["contexts"][0]["context"] = {"cluster": name, "user": name}
    return {"apiVersion": "v1", "kind": "Config", **parts, "current-context": name}


def merged(mine: Mapping[str, Any], ours: Mapping[str, Any]) -> dict[str, Any]:
    """Return somebody's kubeconfig with ours in it; what is called alike is replaced.

    The current context stays, unless there is none.
    """
    result = {"apiVersion": "v1", "kind": "Config", **mine}
    for plural, _ in _PARTS:
        new = ours[plural]
        names = {one["name"] for one in new}
        old = [one for one in mine.get(plural) or [] if one.get("name") not in names]
        result[plural] = [*old, *new]
    result["current-context"] = mine.get("current-context") or ours["current-context"]
    return result


def merge_target() -> Path:
    """Return the user's own kubeconfig: the first of $KUBECONFIG, or ~/.kube/config."""
    named = os.environ.get("KUBECONFIG", "").split(os.pathsep)[0]
    return Path(named) if named else Path.home() / ".kube" / "config"


def refresh_merged(lab: str) -> tuple[Path, ...]:
    """Write a lab's kept kubeconfig anew wherever it was merged into; return these files.

    Only into what has an entry of ours already. A file that cannot be read is left alone.
    """
    named = os.environ.get("KUBECONFIG", "").split(os.pathsep)
    written = []
    for path in dict.fromkeys((*map(Path, filter(None, named)), Path.home() / ".kube" / "config")):
        if path == kubeconfig_path(lab):
            continue
        with suppress(OSError, UnicodeDecodeError, yaml.YAMLError, UsageError):
            if _has(yaml.safe_load(path.read_text(encoding="utf-8")), f"kubert-{lab}"):
                merge_into(path, lab)
                written.append(path)
    return tuple(written)


def _has(config: Any, name: str) -> bool:
    users = config.get("users") if isinstance(config, Mapping) else None
    return isinstance(users, list) and any(
        isinstance(one, Mapping) and one.get("name") == name for one in users
    )


def kept_fingerprint(lab: str) -> str:
    """Return the SHA-256 of the certificate in the kubeconfig kept here; `` if there is none."""
    try:
        config = yaml.safe_load(kubeconfig_path(lab).read_text(encoding="utf-8"))
        data = config["users"][0]["user"]["client-certificate-data"]
        return load_pem_x509_certificate(b64decode(data)).fingerprint(SHA256()).hex()
    except (OSError, ValueError, LookupError, TypeError, yaml.YAMLError):
        return ""


def merge_into(path: Path, lab: str) -> None:
    """Merge the kept kubeconfig of a lab into the file `path` (0600); UsageError if it is none."""
    ours = yaml.safe_load(kubeconfig_path(lab).read_text(encoding="utf-8"))
    try:
        mine = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}
    except (yaml.YAMLError, UnicodeDecodeError, OSError):
        mine = None
    if not isinstance(mine or {}, Mapping):
        raise UsageError(f"{path} is no kubeconfig", fix="move it away, or name another file")
    target = path.resolve()
    text = yaml.safe_dump(merged(mine or {}, ours), sort_keys=False)
    if target.exists():
        target.chmod(0o600)
        paths.rewrite(target, text)
    else:
        paths.write_private(target, text)
