"""What kubeadm is given, per version of its configuration: rendered, against files to read."""

from pathlib import Path

import pytest
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from kubert_tui.lab.cluster_variables import cluster_variables
from kubert_tui.lab.load import parse_lab
from kubert_tui.lab.model import Lab

ROLES = Path(__file__).parents[2] / "playbooks" / "roles"
GOLDEN = Path(__file__).parents[1] / "fixtures" / "kubeadm"
LAB = """\
hosts:
  - {{name: bull1, address: 192.168.11.11}}
  - {{name: bull2, address: 192.168.11.12}}
cluster: {{packages: preinstalled, {more}}}
"""
WITH_ALL = (
    "image_repository: mirror.lab/k8s, api_server: [audit-log-maxage=30], "
    "controller_manager: [node-cidr-mask-size=25], conntrack: false, cgroup_driver: cgroupfs, "
)


def render(role: str, template: str, lab: Lab, host: str, **more: object) -> str:
    # As Ansible has it.
    environment = Environment(
        loader=FileSystemLoader(ROLES / role / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(template).render({**cluster_variables(lab, host), **more})


def lab_with(more: str) -> Lab:
    return parse_lab(LAB.format(more=more), "twins.yaml")


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("v1beta2-all", f"{WITH_ALL}kubernetes: 1.20.2"),
        ("v1beta3", "kubernetes: 1.28.1"),
        ("v1beta4", "kubernetes: 1.36.4"),
        ("v1beta4-all", f"{WITH_ALL}kubernetes: 1.36.4"),
        (
            "v1beta4-single",
            "kubernetes: 1.36.4, nodes: [{name: bull1, role: control-plane}]",
        ),
    ],
)
def test_the_control_plane(name: str, more: str) -> None:
    lab = lab_with(more)
    assert lab.cluster
    version = f"v{lab.cluster.kubernetes}"
    text = render("control_plane", "kubeadm.yaml.j2", lab, "bull1", control_plane_version=version)
    assert text == (GOLDEN / f"{name}.yaml").read_text()
    assert all(yaml.safe_load_all(text))


def test_a_worker_joins_by_file_with_the_hash_of_the_authority() -> None:
    words = ["192.168.11.11:6443", "abcdef.0123456789abcdef", f"sha256:{'a' * 64}"]
    text = render(
        "worker", "join.yaml.j2", lab_with("kubernetes: 1.28"), "bull2", worker_words=words
    )
    assert yaml.safe_load(text) == {
        "apiVersion": "kubeadm.k8s.io/v1beta3",
        "kind": "JoinConfiguration",
        "discovery": {
            "bootstrapToken": {
                "apiServerEndpoint": words[0],
                "token": words[1],
                "caCertHashes": [words[2]],
            }
        },
        "nodeRegistration": {
            "name": "bull2",
            "criSocket": "unix:///run/containerd/containerd.sock",
        },
    }
