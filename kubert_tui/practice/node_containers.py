"""Container machines that may be Kubernetes nodes: the ordinary ones, and what a node needs."""

import shutil
from pathlib import Path

from kubert_tui.practice import containers, processes
from kubert_tui.practice.container_disk import ROOT
from kubert_tui.practice.model import Kind
from kubert_tui.practice.node_container import RUNTIME, NodeContainer
from kubert_tui.practice.pace import Pace
from kubert_tui.practice.state import LabDirectory

PACKAGES = (
    "containerd", "runc", "containernetworking-plugins", "conntrack", "iptables", "ebtables",
    "ethtool", "socat", "ipset",
)  # fmt: skip
_SCRIPT = Path(__file__).with_name("node.sh")
_UNIT = """\
[Unit]
Description=What systemd-nspawn withholds from a Kubernetes node
DefaultDependencies=no
Before=sysinit.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/practice-node

[Install]
WantedBy=sysinit.target
"""


class NodeContainers(containers.Containers):
    """The driver of such machines; see `practice.driver.Driver`."""

    kind = Kind.NODES
    packages = (*containers.PACKAGES, *PACKAGES)
    machine_type = NodeContainer

    def recipe(self) -> str:
        return "\n".join((super().recipe(), _SCRIPT.read_text(), _UNIT))

    def build(self, target: Path, pace: Pace) -> None:
        super().build(target, pace)
        root = target / ROOT
        script = root / "usr/local/sbin/practice-node"
        shutil.copyfile(_SCRIPT, script)
        script.chmod(0o755)
        units = root / "etc/systemd/system"
        (units / "practice-node.service").write_text(_UNIT)
        wanted = units / "sysinit.target.wants"
        wanted.mkdir(exist_ok=True)
        (root / RUNTIME).mkdir(parents=True, exist_ok=True)
        (wanted / "practice-node.service").symlink_to("../practice-node.service")

    def personalise(self, lab: LabDirectory, name: str, image: Path) -> None:
        super().personalise(lab, name, image)
        store = NodeContainer(lab, name).store
        store.mkdir()
        copy = ["cp", "-a", "--reflink=auto", f"{image / ROOT / RUNTIME}/.", str(store)]
        processes.run(copy, mark=lab.tag, timeout=600)
