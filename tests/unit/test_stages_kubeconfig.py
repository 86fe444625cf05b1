"""The administrator's kubeconfig: named after the lab, kept privately, merged into another."""

import stat
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from kubert_tui.base.errors import ChangeError, UsageError
from kubert_tui.stages.kubeconfig import (
    export_kubeconfig,
    kept_fingerprint,
    kubeconfig_path,
    merge_into,
    merge_target,
    merged,
    refresh_merged,
)
from tests.support.stages import PretendedHost

ADMIN = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "kubernetes", "cluster": {"server": "https://10.0.0.1:6443"}}],
    "users": [{"name": "kubernetes-admin", "user": {"client-key-data": "c2VjcmV0"}}],
    "contexts": [{"name": "a@b", "context": {"cluster": "kubernetes", "user": "kubernetes-admin"}}],
    "current-context": "a@b",
}
MINE = {
    "clusters": [{"name": "work", "cluster": {"server": "https://work"}}],
    "users": [{"name": "work", "user": {}}],
    "contexts": [{"name": "work", "context": {"cluster": "work", "user": "work"}}],
    "current-context": "work",
    "preferences": {"colors": True},
}


@dataclass
class Lead(PretendedHost):
    content: bytes = b""

    def get(self, path: str, *, sudo: bool = False) -> bytes:
        assert (path, sudo) == ("/etc/kubernetes/admin.conf", True)
        return self.content


def export() -> Path:
    return export_kubeconfig(Lead("bull1", content=yaml.safe_dump(ADMIN).encode()), "twins")


def test_it_is_named_after_the_lab_and_for_its_owner_only() -> None:
    path = export()
    assert path == kubeconfig_path("twins")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    ours = yaml.safe_load(path.read_text())
    assert ours["current-context"] == "kubert-twins"
    assert ours["contexts"][0]["context"] == {"cluster": "kubert-twins", "user": "kubert-twins"}
    assert ours["users"][0]["user"] == ADMIN["users"][0]["user"]  # type: ignore[index]


@pytest.mark.parametrize("content", [b"", b"- a", b"{: ", b"clusters: []", b"\xff\xfe"])
def test_what_kubeadm_did_not_write_is_refused(content: bytes) -> None:
    with pytest.raises(ChangeError, match="not what kubeadm writes"):
        export_kubeconfig(Lead("bull1", content=content), "twins")
    assert not kubeconfig_path("twins").exists()


def test_merging_keeps_what_is_there_and_replaces_what_is_ours(tmp_path: Path) -> None:
    export()
    target = tmp_path / "config"
    target.write_text(yaml.safe_dump(MINE))
    target.chmod(0o644)
    merge_into(target, "twins")
    once = target.read_text()
    merge_into(target, "twins")
    assert target.read_text() == once
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    found = yaml.safe_load(once)
    assert found["current-context"] == "work"
    assert found["preferences"] == {"colors": True}
    assert [one["name"] for one in found["users"]] == ["work", "kubert-twins"]


def test_merging_makes_the_file_and_gives_it_a_context(tmp_path: Path) -> None:
    export()
    target = tmp_path / ".kube" / "config"
    merge_into(target, "twins")
    assert yaml.safe_load(target.read_text())["current-context"] == "kubert-twins"
    assert stat.S_IMODE(target.parent.stat().st_mode) == 0o700
    target.write_text("- no kubeconfig")
    with pytest.raises(UsageError, match="no kubeconfig"):
        merge_into(target, "twins")


def test_a_context_called_alike_is_replaced() -> None:
    old = {"users": [{"name": "kubert-twins", "user": {"token": "old"}}]}
    new = {
        "users": [{"name": "kubert-twins", "user": {"token": "new"}}],
        "clusters": [],
        "contexts": [],
        "current-context": "kubert-twins",
    }
    assert merged(old, new)["users"] == new["users"]


def test_where_it_was_merged_before_it_is_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_ours, without, broken = (tmp_path / name for name in ("with", "without", "broken"))
    monkeypatch.setenv("KUBECONFIG", f"{with_ours}:{without}:{broken}:{tmp_path / 'none'}")
    assert merge_target() == with_ours
    without.write_text(yaml.safe_dump(MINE))
    broken.write_text("{: ")
    export()
    merge_into(with_ours, "twins")
    again = {**ADMIN, "users": [{"name": "kubernetes-admin", "user": {"token": "new"}}]}
    export_kubeconfig(Lead("bull1", content=yaml.safe_dump(again).encode()), "twins")
    assert refresh_merged("twins") == (with_ours,)
    assert yaml.safe_load(with_ours.read_text())["users"][0]["user"] == {"token": "new"}
    assert yaml.safe_load(without.read_text()) == MINE
    assert broken.read_text() == "{: "
    assert refresh_merged("another") == ()


def test_a_kubeconfig_without_a_certificate_has_no_fingerprint() -> None:
    assert kept_fingerprint("twins") == ""
    export()
    assert kept_fingerprint("twins") == ""
