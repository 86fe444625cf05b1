"""What the cluster's playbooks run on the control plane, on a /etc/kubernetes of our own."""

import os
import signal
import subprocess
import time
from pathlib import Path

from kubert_tui.ansible.playbooks import playbook_path

PLAYBOOKS = playbook_path("cluster-upgrade.yml").parent


def run(script: str, root: Path, *arguments: str, **environment: str) -> str:
    text = (PLAYBOOKS / script).read_text().replace("/etc/kubernetes", str(root))
    text = text.replace("/proc/", f"{root}/proc/")
    done = subprocess.run(["sh", "-s", *arguments], input=text, capture_output=True, text=True,
                          check=True, env={**os.environ, **environment})  # fmt: skip
    return done.stdout


def test_a_manifest_that_was_moved_away_comes_back_from_the_newest_backup(tmp_path: Path) -> None:
    manifests = tmp_path / "manifests"
    manifests.mkdir()
    assert run("manifests-back.sh", tmp_path) == ""
    (manifests / "etcd.yaml").write_text("as it is")
    for day, text in (("2026-11-27-10-00-00", "old"), ("2026-11-28-09-00-00", "newest")):
        kept = tmp_path / "tmp" / f"kubeadm-backup-manifests-{day}"
        kept.mkdir(parents=True)
        (kept / "kube-apiserver.yaml").write_text(text)
        (kept / "etcd.yaml").write_text(text)
    assert run("manifests-back.sh", tmp_path) == "kube-apiserver.yaml\n"
    assert (manifests / "kube-apiserver.yaml").read_text() == "newest"
    assert (manifests / "etcd.yaml").read_text() == "as it is"
    assert sorted(one.name for one in manifests.iterdir()) == ["etcd.yaml", "kube-apiserver.yaml"]
    assert run("manifests-back.sh", tmp_path) == ""


def test_all_that_an_upgrade_changes_is_looked_at(tmp_path: Path) -> None:
    manifests = tmp_path / "manifests"
    manifests.mkdir()
    for name, version in (("apiserver", "v1.37.1"), ("scheduler", "v1.36.4")):
        image = f"registry.k8s.io/kube-{name}:{version}"
        (manifests / f"kube-{name}.yaml").write_text(
            f"    image: {image}\n    imagePullPolicy: x\n"
        )
    (manifests / "etcd.yaml").write_text("    image: registry.k8s.io/etcd:3.5.1-0\n")
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(
        "#!/bin/sh\n"
        'case "$*" in\n'
        "*kubeadm-config*) printf 'dns: {}\\nkubernetesVersion: v1.36.4\\n' ;;\n"
        "*) printf 'mirror.lab:5000/kube-proxy:v1.36.3' ;;\n"
        "esac\n"
    )
    kubectl.chmod(0o755)
    told = run("control-plane-versions.sh", tmp_path, PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert told.split() == ["v1.37.1", "v1.36.4", "v1.36.4", "v1.36.3"]


def test_a_pod_that_is_older_than_its_certificate_is_ended_and_nothing_else(tmp_path: Path) -> None:
    """On a /proc of our own: real ones of other tests' clusters may run on this computer."""
    (tmp_path / "manifests").mkdir()
    (tmp_path / "pki/etcd").mkdir(parents=True)
    assert told(tmp_path, "look") == ""
    (tmp_path / "manifests/etcd.yaml").touch()
    certificate = tmp_path / "pki/etcd/server.crt"
    certificate.touch()
    with subprocess.Popen(["sleep", "1000"]) as process:
        try:
            entry = tmp_path / "proc" / str(process.pid)
            entry.mkdir(parents=True)
            (entry / "cmdline").write_bytes(b"/usr/bin/etcd\0--name=bull1\0")
            os.utime(certificate, (time.time() + 1000,) * 2)
            # It is called so, and is no pod's.
            (entry / "cgroup").write_text("0::/user.slice\n")
            assert told(tmp_path, "restart") == ""
            assert told(tmp_path, "look") == "etcd\n"
            (entry / "cgroup").write_text("0::/kubepods.slice/kubepods-pod1.slice\n")
            os.utime(certificate, (time.time() - 1000,) * 2)
            assert told(tmp_path, "look") == told(tmp_path, "restart") == ""
            assert process.poll() is None
            os.utime(certificate, (time.time() + 1000,) * 2)
            assert told(tmp_path, "look") == "etcd\n"
            assert process.poll() is None
            assert told(tmp_path, "restart") == "etcd\n"
            assert process.wait(60) == -signal.SIGTERM
        finally:
            process.kill()


def told(root: Path, mode: str) -> str:
    (root / "proc").mkdir(exist_ok=True)
    return run("renewed-pods.sh", root, mode)
