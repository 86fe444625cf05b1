"""What a node tells of itself and of its cluster: read as it is printed, never more than that."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from kubert_tui.facts.cluster import Certificate, ClusterSeen
from kubert_tui.facts.fact import Known, Unknown
from kubert_tui.facts.parse_cluster import node, nodes, pods
from kubert_tui.facts.sections import split

NONCE = "kubert-0"
READY = "Ready=True "
CALM = "MemoryPressure=False DiskPressure=False PIDPressure=False "
LAST = """\
configmap/kubeadm-config
configmap/cluster-info
rolebinding.rbac.authorization.k8s.io/kubeadm:bootstrap-signer-clusterinfo
daemonset.apps/kube-proxy
service/kube-dns
"""


def output(**sections: str | tuple[str, str]) -> bytes:
    """The probe's output: a section is its text, or its text and its status."""
    text = ""
    for name, given in sections.items():
        content, status = given if isinstance(given, tuple) else (given, "0")
        section = name.replace("_", "-")
        text += f"\n{NONCE} begin {section} {section}\n{content}\n{NONCE} end {status}\n"
    return text.encode()


def seen(**sections: str | tuple[str, str]) -> ClusterSeen:
    return node(split(output(**sections), NONCE))


def test_a_worker_that_runs() -> None:
    found = seen(
        kubeadm="v1.36.4",
        kubelet="Kubernetes v1.36.4",
        unit="LoadState=loaded\nActiveState=active\nUnitFileState=enabled",
        runtime="there",
        swaps="Filename Type Size Used Priority",
        forwarding="1",
        selinux="1",
        routes="default via 10.0.0.254 dev eth0\n10.0.0.0/24 dev eth0 proto kernel",
        made="/etc/kubernetes/kubelet.conf\n/etc/kubernetes/pki/ca.crt",
        configured='# ours\nKUBELET_EXTRA_ARGS="--node-ip=10.0.0.1 --reserved-cpus=0-1"',
        running="--config=/var/lib/kubelet/config.yaml\n--reserved-cpus=0-1",
        settings="cgroupDriver: systemd\nfailSwapOn: true\nauthentication:\n  x509: {}",
        cpu_state='{"policyName":"static","defaultCpuSet":"0-3","checksum":1}',
        server_cpus="",
    )
    assert found.kubeadm == found.kubelet_version == Known("v1.36.4")
    assert (found.unit, found.at_boot) == (Known("active"), Known(True))
    assert (found.runtime, found.swaps, found.forwarding) == (Known(True), Known(0), Known(True))
    assert found.selinux == Known("enforcing")
    assert found.routes == Known(frozenset({"default via 10.0.0.254"}))
    made = {"/etc/kubernetes/kubelet.conf", "/etc/kubernetes/pki/ca.crt"}
    assert found.files == Known(frozenset(made))
    kubelet = found.kubelet
    assert kubelet.configured == Known(("--node-ip=10.0.0.1", "--reserved-cpus=0-1"))
    assert kubelet.running == Known(
        ("--config=/var/lib/kubelet/config.yaml", "--reserved-cpus=0-1")
    )
    assert kubelet.settings == Known({"cgroupDriver": "systemd", "failSwapOn": "True"})
    assert kubelet.cpu_policy == Known("static")
    assert found.server_cpus == Known(())
    assert isinstance(found.nodes, Unknown)


def test_a_host_with_nothing_of_a_cluster() -> None:
    found = seen(
        kubeadm=("", "missing"),
        kubelet=("", "missing"),
        unit="LoadState=not-found\nActiveState=inactive",
        runtime="absent",
        configured=("", "absent"),
        settings=("", "absent"),
        cpu_state=("", "absent"),
        nodes=("", "absent"),
    )
    assert found.kubeadm == Known("")
    assert (found.unit, found.at_boot, found.runtime) == (
        Known("absent"),
        Known(False),
        Known(False),
    )
    assert found.kubelet.configured == Known(())
    assert (found.kubelet.settings, found.kubelet.cpu_policy) == (Known({}), Known(""))
    assert found.nodes == Known(())


def test_the_nodes_as_the_api_server_knows_them() -> None:
    told = (
        f"master|v1.36.4|10.0.0.1|10.244.0.0/24|||{CALM}{READY}\n"
        "bull2|v1.35.1|10.0.0.2||true|upgrade|MemoryPressure=True Ready=Unknown "
    )
    found = nodes(split(output(nodes=told), NONCE))
    assert isinstance(found, Known)
    one, two = found.value
    assert (one.name, one.ready, one.conditions, one.schedulable) == ("master", True, (), True)
    assert one.pod_cidr == "10.244.0.0/24"
    assert (two.ready, two.conditions, two.schedulable) == (False, ("MemoryPressure",), False)
    assert (one.kept_off, two.kept_off) == ("", "upgrade")


def test_the_version_of_the_server_and_of_what_is_upgraded() -> None:
    assert seen(server='{"major": "1", "gitVersion": "v1.36.4"}').server == Known("v1.36.4")
    assert seen(server=("", "absent")).server == Known("")
    assert isinstance(seen(server="[]").server, Unknown)
    assert isinstance(seen(server=("refused", "1")).server, Unknown)
    made = seen(made_of="v1.36.4\nv1.36.4\nv1.35.1").made_of
    assert made == Known(("v1.36.4", "v1.36.4", "v1.35.1"))
    silent = seen(made_of="v1.36.4\nUnable to connect to the server: deadline exceeded").made_of
    assert isinstance(silent, Unknown)
    assert "did not answer" in silent.reason


def test_pods_that_a_drain_would_move() -> None:
    told = (
        "default/lone||\ndefault/web-1|ReplicaSet|\nkube-system/proxy|DaemonSet|\n"
        "kube-system/etcd-bull1|Node|0123abc"
    )
    assert pods(split(output(pods=told), NONCE)) == Known(("default/lone", "default/web-1"))
    assert pods(split(output(pods=""), NONCE)) == Known(())
    assert isinstance(pods(split(output(pods="No resources found"), NONCE)), Unknown)


def certificate(days: int) -> tuple[bytes, str]:
    """Return a certificate (DER) good for some days from 2026-01-01 on, and its fingerprint."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "kubernetes-admin")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(datetime(2025, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=days, hours=1))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(Encoding.DER), made.fingerprint(hashes.SHA256()).hex()


def test_how_long_certificates_are_good_for_by_the_clock_of_their_host() -> None:
    now = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
    (der, first), (other, second) = certificate(12), certificate(-3)
    pem = b"-----BEGIN CERTIFICATE-----\n" + b64encode(other) + b"\n-----END CERTIFICATE-----\n"
    told = f"{now}\napiserver {b64encode(der).decode()}\nadmin.conf {b64encode(pem).decode()}"
    assert seen(certificates=told).certificates == Known(
        (Certificate("apiserver", 12, first), Certificate("admin.conf", -3, second))
    )
    assert seen(certificates=f"{now}").certificates == Known(())
    for nonsense in ("late", f"{now}\nadmin.conf bm90aGluZw==", f"{now}\nadmin.conf"):
        assert isinstance(seen(certificates=nonsense).certificates, Unknown)


def test_what_the_control_plane_has_and_what_not() -> None:
    assert seen(last_made=LAST).complete == Known(())
    half = LAST.replace("service/kube-dns", 'Error from server (NotFound): services "kube-dns"')
    assert seen(last_made=half).complete == Known(("coredns",))
    refused = seen(last_made="The connection to the server was refused").complete
    assert isinstance(refused, Unknown)
    assert "refused" in refused.reason
    assert seen(api="ok").api == Known(True)
    assert seen(api=("The connection was refused", "1")).api == Known(False)
    assert seen(server_cpus="Cpus_allowed_list:\t0-1,4").server_cpus == Known((0, 1, 4))


@pytest.mark.parametrize(
    "sections",
    [
        {"unit": ("Failed to connect to bus", "1")},
        {"configured": "KUBELET_EXTRA_ARGS='--open"},
        {"settings": "{: not yaml"},
        {"settings": "just text"},
        {"cpu_state": "{}"},
        {"cpu_state": "broken"},
        {"nodes": "error: what"},
        {"server_cpus": "Cpus_allowed_list: everywhere"},
    ],
)
def test_what_cannot_be_understood_is_unknown(sections: dict[str, str]) -> None:
    (name,) = sections
    found = seen(**sections)
    fact = {
        "unit": found.unit,
        "configured": found.kubelet.configured,
        "settings": found.kubelet.settings,
        "cpu_state": found.kubelet.cpu_policy,
        "nodes": found.nodes,
        "server_cpus": found.server_cpus,
    }[name]
    assert isinstance(fact, Unknown)
    assert fact.reason
