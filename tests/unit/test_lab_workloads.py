"""`workloads:` of a lab file: what is refused, where, and what becomes of the rest in a cluster."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from kubert_tui.base.errors import LabFileError, UsageError
from kubert_tui.cli.main import main
from kubert_tui.lab.load import load_lab, parse_lab
from kubert_tui.lab.manifests import parse_manifest
from kubert_tui.lab.overrides import override
from kubert_tui.lab.workload_objects import (
    applications,
    chosen_applications,
    fingerprint_of,
    workload_variables,
)
from kubert_tui.lab.workload_presets import WORKLOAD_PRESETS
from kubert_tui.lab.write import dump_lab

HEAD = """\
name: twins
hosts: [{name: bull1, address: 192.168.11.11}, {name: Bull2, address: 192.168.11.12}]
cluster: {packages: preinstalled}
"""
MANIFEST = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: plc}
data: {since: 2026-01-01, text: "{{ not Ansible's }}"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: plc}
spec:
  replicas: 2
  selector: {matchLabels: {app: plc}}
  template:
    metadata: {labels: {app: plc}}
    spec: {containers: [{name: plc, image: plc}]}
---
"""
ROLE = Path(__file__).parents[2] / "playbooks/roles/workloads/templates"


def lab_file(directory: Path, workloads: str, manifest: str = MANIFEST) -> Path:
    (directory / "plc.yaml").write_text(manifest)
    path = directory / "twins.yaml"
    path.write_text(HEAD + workloads)
    return path


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("workloads: [{name: a}]", "4: workloads.a: expected a preset, an image or a manifest"),
        ("workloads: [{name: A, image: x}]", "4: workloads.A.name: expected lower-case letters"),
        (
            "workloads: [{name: a, preset: stress-ng}]",
            "4: workloads.a: expected an `image` that has stress-ng in it",
        ),
        ("workloads: [{name: a, preset: loop}]", "4: workloads.a.preset: expected"),
        ("workloads: [{name: a, image: x, cpus: 0.5}]", "workloads.a.cpus: expected a whole"),
        ("workloads: [{name: a, image: x, memory: 3}]", "workloads.a.memory: expected a unit"),
        ("workloads: [{name: a, image: x, nodes: [bull3]}]", "bull3 is no node of the cluster"),
        ("workloads: [{name: a, image: x}, {name: a, image: x}]", "a is there twice"),
        ("workloads: [{name: a, manifest: plc.yaml, cpus: 2}]", "cpus is the manifest's to say"),
        ("density: {workloads: [b]}", "density.workloads: there is no workload b; there are: none"),
        ("density: {max: 0}", "density.max: expected at least 1"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(text: str, told: str) -> None:
    with pytest.raises(LabFileError) as caught:
        parse_lab(HEAD + text, "twins.yaml")
    assert told in caught.value.what


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("kind: ConfigMap", "kind: ClusterRole", "2: ClusterRole is nothing that can be run in"),
        ("kind: ConfigMap", "kind: Job", "2: Job is nothing that can be run in copies"),
        ("kind: ConfigMap", "kindly: no", "1: something without a kind"),
        ("metadata: {name: plc}\ndata", "metadata: {name: P C}\ndata", "3: expected metadata.name"),
        (
            "metadata: {name: plc}\nspec",
            "metadata: {name: plc, namespace: mine}\nspec",
            "8: leave metadata.namespace out",
        ),
        ("replicas: 2", "replicas: 0", "10: expected replicas from 1 to 999"),
        ("spec: {containers", "spec: {nodeName: x, containers", "14: leave nodeName out"),
        ("containers: [{name: plc, image: plc}]", "a: b", "10: expected spec.template.spec.cont"),
        ("metadata: {labels: {app: plc}}", "metadata: [a]", "13: expected labels"),
        ("labels: {app: plc}", "labels: [a]", "13: expected labels"),
        ("apiVersion: apps/v1\n", "", "6: missing apiVersion"),
        ("kind: Deployment", "kind: [", "expected"),
        ("data: {since: 2026-01-01, ", "data: &a {b: *a, ", "aliases are not supported"),
        ("apiVersion: v1\n", "!!python/object:os.system {}\n--- \napiVersion: v1\n", "1: "),
        ("apiVersion: v1\n", "- a\n---\napiVersion: v1\n", "1: expected an object"),
    ],
)
def test_a_manifest_is_judged_with_its_lines(old: str, new: str, told: str) -> None:
    assert old in MANIFEST
    with pytest.raises(LabFileError) as caught:
        parse_manifest(MANIFEST.replace(old, new, 1), "plc.yaml")
    assert f"plc.yaml:{told}" in caught.value.what or (
        caught.value.what.startswith("plc.yaml:") and told in caught.value.what
    )


def test_a_manifest_that_runs_nothing_is_refused() -> None:
    with pytest.raises(LabFileError, match="expected a Deployment, StatefulSet or ReplicaSet"):
        parse_manifest("apiVersion: v1\nkind: Service\nmetadata: {name: a}\n", "a.yaml")
    with pytest.raises(LabFileError, match="expected a Deployment"):
        parse_manifest("", "a.yaml")


def test_check_names_the_manifest_and_the_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = lab_file(
        tmp_path,
        "workloads: [{name: plc, manifest: plc.yaml}, {name: b, manifest: none.yaml}]",
        MANIFEST.replace("replicas: 2", "replicas: no"),
    )
    assert main(["lab", "check", str(path)]) == 3
    told = capsys.readouterr().err
    assert f"{tmp_path}/plc.yaml:10: expected replicas" in told
    assert "none.yaml cannot be read" in told


def test_a_lab_is_written_and_read_back(tmp_path: Path) -> None:
    path = lab_file(
        tmp_path,
        "workloads: [{name: plc, manifest: plc.yaml}, {name: a, image: x, command: [a, b c]}]\n"
        "density: {max: 7, workloads: [a]}",
    )
    lab = load_lab(path)
    assert lab.workloads[0].manifest == str(tmp_path / "plc.yaml")
    assert parse_lab(dump_lab(lab), "twins.yaml") == lab
    assert override(lab, ["density.workloads=plc,a", "density.max=3"]).density.workloads == (
        "plc", "a",
    )  # fmt: skip
    with pytest.raises(UsageError, match="there is no workload q"):
        override(lab, ["density.workloads=q"])


def objects_of(lab_text: str, directory: Path) -> dict[str, Any]:
    found = applications(load_lab(lab_file(directory, lab_text)))
    return {one["kind"]: one for application in found for one in application.objects}


def test_a_preset_is_a_guaranteed_pod_on_each_node(tmp_path: Path) -> None:
    text = "workloads: [{name: a, preset: control-loop, image: rt, cpus: 2, memory: 1GiB}]"
    deployment = objects_of(text, tmp_path)["Deployment"]
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["resources"]["requests"] == {"cpu": "2", "memory": "1024Mi"}
    assert container["resources"]["limits"] == container["resources"]["requests"]
    assert "--threads=2" in container["command"]
    assert container["securityContext"]["capabilities"]["add"] == ["SYS_NICE", "IPC_LOCK"]
    assert deployment["metadata"]["namespace"] == "kubert-workloads"
    affinity = pod["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    (expression,) = affinity["nodeSelectorTerms"][0]["matchExpressions"]
    # As Kubernetes calls the node; the control plane takes none unless it is named.
    assert expression["values"] == ["bull2"]
    assert "tolerations" not in pod
    selected = pod["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"]
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert selected.items() <= labels.items()
    assert deployment["spec"]["selector"]["matchLabels"].items() <= labels.items()


def test_a_control_plane_that_is_named_is_tolerated(tmp_path: Path) -> None:
    text = "workloads: [{name: a, image: x, nodes: [bull1, Bull2], copies: 3}]"
    pod = objects_of(text, tmp_path)["Deployment"]["spec"]["template"]["spec"]
    assert len(pod["tolerations"]) == 2
    (found,) = applications(load_lab(tmp_path / "twins.yaml"))
    assert (found.nodes, found.pods) == (("bull1", "bull2"), 6)


def test_a_manifest_keeps_what_it_says(tmp_path: Path) -> None:
    text = "workloads: [{name: plc, manifest: plc.yaml}]"
    found = objects_of(text, tmp_path)
    # A date is what was written, as kubectl reads it.
    assert found["ConfigMap"]["data"]["since"] == "2026-01-01"
    assert "replicas" not in found["Deployment"]["spec"]
    assert found["Deployment"]["spec"]["template"]["metadata"]["labels"]["app"] == "plc"
    (application,) = applications(load_lab(tmp_path / "twins.yaml"))
    assert application.replicas == (0, 2)


def test_two_of_one_name_are_refused(tmp_path: Path) -> None:
    text = "workloads: [{name: plc, image: x}, {name: b, manifest: plc.yaml}]"
    lab = load_lab(lab_file(tmp_path, text))
    with pytest.raises(LabFileError, match="plc and b both have a Deployment called plc"):
        applications(lab)


def test_other_applications_have_another_fingerprint(tmp_path: Path) -> None:
    lab = load_lab(lab_file(tmp_path, "workloads: [{name: a, image: x}, {name: b, image: x}]"))
    told = {
        fingerprint_of(chosen_applications(override(lab, [f"density.workloads={names}"])))
        for names in ("a", "b", "a,b")
    }
    assert len(told) == 3


def test_what_the_playbook_applies(tmp_path: Path) -> None:
    lab = load_lab(lab_file(tmp_path, "workloads: [{name: plc, manifest: plc.yaml, copies: 2}]"))
    environment = Environment(
        loader=FileSystemLoader(ROLE), undefined=StrictUndefined, trim_blocks=True
    )

    def combine(first: dict[str, Any], second: dict[str, Any], *, recursive: bool) -> Any:
        assert recursive
        return {**first, "spec": {**first["spec"], **second["spec"]}}

    environment.filters |= {"to_json": json.dumps, "combine": combine}
    text = environment.get_template("workloads.yaml.j2").render(
        **workload_variables(applications(lab)), workloads_copies=3
    )
    namespace, config, deployment = yaml.safe_load_all(text)
    assert namespace["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "kubert-tui"}
    told = namespace["metadata"]["annotations"]["kubert-tui/applications"]
    assert told == fingerprint_of(applications(lab))
    assert config["data"]["text"] == "{{ not Ansible's }}"
    assert deployment["spec"]["replicas"] == 2 * 2 * 3


def test_the_presets_are_commands_with_sources() -> None:
    for preset in WORKLOAD_PRESETS.values():
        assert preset.what
        assert preset.source
        assert "{n}" not in " ".join(preset.arguments(4))


def test_dpsim_is_a_program_that_python_takes() -> None:
    *_, script = WORKLOAD_PRESETS["dpsim"].command
    argv = [sys.executable, "-c", f"compile({script!r}, 'dpsim', 'exec')"]
    assert subprocess.run(argv, check=False).returncode == 0
