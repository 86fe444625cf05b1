"""The tests' own hosts take a real kubeadm: a cluster made and reset by hand, nothing of ours.

What fails here is wrong with the hosts, not with our playbooks. It is run when there is doubt about
that (`./test long`): test_cluster.py proves the same and more, with ours.
"""

import json
import re
from collections.abc import Mapping

import pytest

from tests.support.kubernetes.hosts import ClusterHosts
from tests.support.twins import wait_until

pytestmark = [pytest.mark.lab, pytest.mark.cluster, pytest.mark.long]

INIT = """\
apiVersion: kubeadm.k8s.io/v1beta2
kind: InitConfiguration
localAPIEndpoint: {advertiseAddress: %(address)s}
nodeRegistration: {name: %(name)s, criSocket: "unix://%(socket)s"}
---
apiVersion: kubeadm.k8s.io/v1beta2
kind: ClusterConfiguration
kubernetesVersion: %(version)s
networking: {podSubnet: %(pods)s, serviceSubnet: %(services)s}
apiServer: {timeoutForControlPlane: 10m}
---
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: systemd
"""
POD = """\
apiVersion: v1
kind: Pod
metadata: {name: %(name)s}
spec:
  nodeName: %(node)s
  restartPolicy: Never
  terminationGracePeriodSeconds: 1
  containers:
  - name: it
    image: %(image)s
    imagePullPolicy: Never
    command: %(command)s
    ports: [{containerPort: 80}]
    resources: {requests: {cpu: "1", memory: 64Mi}, limits: {cpu: "1", memory: 64Mi}}
    securityContext: {capabilities: {add: [SYS_NICE, IPC_LOCK]}}
"""
CYCLICTEST = """\
cyclictest --mlockall --threads=1 --priority=80 --policy=fifo --interval=1000 --loops=1500 \
  --quiet --histogram=1000 & sleep 0.7
grep Cpus_allowed_list /proc/self/status
for task in /proc/$!/task/*; do chrt --pid ${task##*/}; done
wait $!
echo "ended with $?"
"""
UNDO = """\
kubeadm reset --force --cri-socket unix://%(socket)s >/dev/null 2>&1
systemctl stop kubepods.slice
find /sys/fs/cgroup -depth -type d -name 'kubepods*' -exec rmdir {} +
systemctl disable --quiet --now kubelet
rm -rf /root/.kube /etc/cni/net.d/10-pods.conflist /etc/default/kubelet /etc/kubernetes/* \
    /var/lib/etcd /var/log/pods/* /var/log/containers/*
for link in $(ls /sys/class/net | grep -E '^(cni|veth)'); do ip link delete $link; done
ip route | grep '^10\\.244\\.' | while read -r net rest; do ip route delete $net; done
iptables-save | grep -vE 'KUBE-|CNI-' | iptables-restore
ip6tables-save | grep -vE 'KUBE-|CNI-' | ip6tables-restore
"""


def pod(hosts: ClusterHosts, name: str, image: str, *command: str) -> str:
    """The manifest of a pod with one whole CPU of the worker."""
    return POD % {"name": name, "node": hosts.worker, "image": image,
                  "command": json.dumps(command)}  # fmt: skip


def prepare(hosts: ClusterHosts, name: str) -> None:
    """What a person does on a node before kubeadm."""
    hosts.run(name, "containerd config default | sed 's/SystemdCgroup = .*/SystemdCgroup = true/' "
              ">/etc/containerd/config.toml; systemctl restart containerd;"
              " modprobe br_netfilter; sysctl --quiet --write net.ipv4.ip_forward=1;"
              " systemctl enable --quiet kubelet; cat >/etc/default/kubelet",
              stdin=f"KUBELET_EXTRA_ARGS=--node-ip={hosts.address(name)}"
              " --cpu-manager-policy=static --reserved-cpus=0\n")  # fmt: skip


def differences(
    before: Mapping[str, list[str]], after: Mapping[str, list[str]]
) -> dict[str, list[str]]:
    """What is there now and was not, or was and is not."""
    found = {key: sorted({*before[key]} ^ {*after[key]}) for key in before}
    return {key: what for key, what in found.items() if what}


def test_kubeadm_makes_a_cluster_whose_pods_are_real_time(cluster_hosts: ClusterHosts) -> None:
    hosts = cluster_hosts
    before = {name: hosts.state(name) for name in hosts.names}
    for name in hosts.names:
        prepare(hosts, name)
    configuration = INIT % {
        "address": hosts.address(hosts.control_plane), "name": hosts.control_plane,
        "socket": hosts.runtime_socket, "version": hosts.version, "pods": hosts.pod_cidr,
        "services": hosts.service_cidr,
    }  # fmt: skip
    hosts.run(hosts.control_plane, "cat >/run/init.yaml; kubeadm init --config /run/init.yaml",
              stdin=configuration)  # fmt: skip
    # Before there is a worker, so that coredns leaves it its CPUs.
    hosts.lay_pod_network()
    hosts.await_kubectl("2/2", "-n", "kube-system", "get", "deployment", "coredns",
                        "-o", "jsonpath={.status.readyReplicas}/{.spec.replicas}")  # fmt: skip
    join = hosts.run(hosts.control_plane, "kubeadm token create --ttl 5m --print-join-command")
    hosts.run(hosts.worker, f"{join.strip()} --cri-socket unix://{hosts.runtime_socket}")
    hosts.kubectl("wait", "--for=condition=Ready", "nodes", "--all", "--timeout=120s")

    # A pod on the worker is measured, on a CPU of its own, at a real-time priority.
    command = ("sh", "-c", CYCLICTEST)
    hosts.kubectl("apply", "-f", "-", stdin=pod(hosts, "rt", hosts.realtime_image, *command))
    hosts.await_kubectl("Succeeded", "get", "pod", "rt", "-o", "jsonpath={.status.phase}")
    # What it printed last may be written after it is known that it ended.
    wait_until(lambda: "ended with" in hosts.kubectl("logs", "rt"), "its output is whole")
    told = hosts.kubectl("logs", "rt")
    assert "ended with 0\n" in told
    assert "Cpus_allowed_list:\t1\n" in told
    assert "scheduling policy: SCHED_FIFO\n" in told
    assert "scheduling priority: 80\n" in told
    assert sum(map(int, re.findall("# (?:Total|Histogram Overflows): ([0-9]+)", told))) == 1500
    qos = hosts.kubectl("get", "pod", "rt", "-o", "jsonpath={.status.qosClass}")
    assert qos == "Guaranteed"
    hosts.kubectl("delete", "pod", "rt", "--wait")

    # A service is reached from the other node, by its own address.
    hosts.kubectl("apply", "-f", "-", stdin=pod(hosts, "web", hosts.nginx_image, "nginx"))
    hosts.kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
    hosts.kubectl("label", "pod", "web", "app=web")
    hosts.kubectl("expose", "pod", "web", "--port=80")
    address = hosts.kubectl("get", "service", "web", "-o", "jsonpath={.spec.clusterIP}")
    page = hosts.run(hosts.control_plane, f"python3 - http://{address}/ 2>&1", stdin=FETCH)
    assert page == "Welcome to nginx!\n"

    for name in reversed(hosts.names):
        hosts.run(name, UNDO % {"socket": hosts.runtime_socket})
        assert differences(before[name], hosts.state(name)) == {}


FETCH = """\
import sys, time, urllib.request
for attempt in range(40):
    try:
        sys.stdout.write(urllib.request.urlopen(sys.argv[1], timeout=2).read().decode())
        break
    except OSError:
        time.sleep(0.5)
"""
