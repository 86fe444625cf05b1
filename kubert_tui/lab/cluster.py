"""The Kubernetes cluster of a lab: enabled by a `cluster:` in the lab file."""

from ipaddress import IPv4Network
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from kubert_tui.lab.part import HostName, Part

KUBERNETES = "1.36.4"
"""The newest that Kubespray pins and tests (its roles/kubespray_defaults, November 2026).

A minor release behind the newest (1.37.1), as Kubernetes' own support goes back three of them.
"""
OLDEST = 20
"""The minor release that the README's upstream was written for."""
UPSTREAM = "https://pkgs.k8s.io/core:/stable:"
"""One repository per minor release below it: /v1.36/deb, /v1.36/rpm. From 1.24 on."""
UPSTREAM_KEY = "DE15B14486CD377B9E876E1A234654DA9A296436"
"""isv:kubernetes OBS Project <isv:kubernetes@build.opensuse.org>, the key of pkgs.k8s.io."""
FLANNEL = (
    "https://raw.githubusercontent.com/flannel-io/flannel/v0.28.9/Documentation/kube-flannel.yml"
)
FLANNEL_SHA256 = "e875824be2f552b45711dbda91af81b17eb961d00025d914d9fef18fad8f09c0"
"""Of that file in the repository, at its release v0.28.9."""
NGINX = "nginx"
"""The image of the README's upstream's smoke test."""
SOCKETS = {
    "containerd": "unix:///run/containerd/containerd.sock",
    "docker": "/var/run/dockershim.sock",
}
"""The CRI sockets. Docker's is the one that the kubelet itself opened, until 1.23."""
_DOCKER_UNTIL, _REPOSITORY_FROM = 23, 24
_VERSION = r"^1\.[0-9]{2}(\.[0-9]{1,3})?$"


def _is_network(value: str) -> str:
    try:
        IPv4Network(value)
    except ValueError:
        what = "expected a network such as 10.244.0.0/16"
        raise PydanticCustomError("ipv4", "{what}", {"what": what}) from None
    return value


Network = Annotated[str, Field(max_length=18), AfterValidator(_is_network)]
Argument = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*=[A-Za-z0-9._:/,=%<@-]*$")]
"""`name=value`, as the program takes it after two dashes. No blanks: these share a line."""
NodeRole = Literal["control-plane", "worker"]


class NodeSpec(Part):
    """A host or virtual machine of the lab as a node of the cluster."""

    name: HostName
    role: NodeRole = "worker"


class ClusterSpec(Part):
    """One cluster: what it is made of, and which hosts or machines are its nodes."""

    kubernetes: str = Field(
        default=KUBERNETES,
        pattern=_VERSION,
        description="1.36.4, or 1.36 for the newest of that minor release; 1.20 at least.",
        json_schema_extra={"type": ["string", "number"]},
    )
    packages: Literal["repository", "preinstalled"] = Field(
        default="repository",
        description="preinstalled: kubeadm, kubelet and kubectl are on the nodes already.",
    )
    repository: str = Field(
        default=UPSTREAM,
        pattern=r"^(https?|file)://[^\s/]*/\S*[^\s/]$",
        description="Packages, or a mirror of them: /v1.36/deb and /v1.36/rpm are below it.",
    )
    repository_key: str = Field(
        default=UPSTREAM_KEY,
        pattern=r"^[0-9A-F]{40}$",
        description="Fingerprint of the key that signs them; any other key is refused.",
    )
    runtime: Literal["containerd", "docker", "preinstalled"] = Field(
        default="containerd", description="docker: for Kubernetes up to 1.23."
    )
    runtime_package: str = Field(
        default="",
        pattern=r"^[a-z0-9.+-]*$",
        description="Its package, if not the distribution's: containerd.io.",
    )
    runtime_socket: str = Field(
        default="",
        pattern=r"^((unix://)?/[A-Za-z0-9._/-]+)?$",
        description="Where the kubelet finds it; the runtime's own if empty.",
    )
    cgroup_driver: Literal["systemd", "cgroupfs"] = "systemd"
    pod_cidr: Network = "10.244.0.0/16"
    service_cidr: Network = "10.96.0.0/12"
    cni: Literal["flannel", "bridge", "none"] = Field(
        default="flannel",
        description="bridge: a bridge on each node and routes between them; needs no image.",
    )
    cni_manifest: str = Field(
        default=FLANNEL, pattern=r"^(https?|file)://[^\s/]*/\S+$", description="Of flannel."
    )
    cni_manifest_sha256: str = Field(default=FLANNEL_SHA256, pattern=r"^[0-9a-f]{64}$")
    image_repository: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9._:/-]*$",
        description="Where the images of the control plane come from; Kubernetes' own if empty.",
    )
    smoke_image: str = Field(
        default=NGINX,
        pattern=r"^[A-Za-z0-9._:/@-]+$",
        description="Serves HTTP on port 80 in the smoke test.",
    )
    smoke_command: tuple[str, ...] = Field(
        default=(), description="What it runs there; the image's own command if empty."
    )
    nodes: tuple[NodeSpec, ...] = Field(
        default=(),
        description="Hosts or machines by name; if empty, the machines, else the hosts.",
    )
    skip_addons: tuple[Literal["coredns", "kube-proxy"], ...] = ()
    conntrack: bool = Field(
        default=True,
        description="false: kube-proxy leaves the kernel's limits alone, as it must in containers.",
    )
    timeout: str = Field(
        default="10m",
        pattern=r"^[1-9][0-9]{0,2}m$",
        description="How long the control plane, and the cluster's network, get to come up.",
    )
    api_server: tuple[Argument, ...] = Field(
        default=(), description="More arguments of kube-apiserver: [audit-log-maxage=30]."
    )
    controller_manager: tuple[Argument, ...] = Field(
        default=(), description="More arguments of kube-controller-manager."
    )
    kubelet: tuple[Argument, ...] = Field(
        default=(), description="More arguments of the kubelet on every node: [max-pods=50]."
    )

    @field_validator("kubernetes", mode="before")
    @classmethod
    def _without_v(cls, value: Any) -> Any:
        return str(value).removeprefix("v")

    @model_validator(mode="after")
    def _versions_fit(self) -> "ClusterSpec":
        what = ""
        if self.minor < OLDEST:
            what = f"Kubernetes 1.{OLDEST} is the oldest that is supported"
        elif self.runtime == "docker" and self.minor > _DOCKER_UNTIL:
            what = f"Kubernetes {self.kubernetes} cannot use docker; use containerd"
        elif (self.packages, self.repository) == (
            "repository",
            UPSTREAM,
        ) and self.minor < _REPOSITORY_FROM:
            what = (
                f"pkgs.k8s.io has no Kubernetes {self.kubernetes}: name a `repository` that has, "
                "or `packages: preinstalled`"
            )
        elif self.runtime == "preinstalled" and not self.runtime_socket:
            what = "a runtime that is preinstalled needs its `runtime_socket`"
        elif IPv4Network(self.pod_cidr).overlaps(IPv4Network(self.service_cidr)):
            what = "pod_cidr and service_cidr overlap"
        if what:
            raise PydanticCustomError("cluster", "{what}", {"what": what})
        return self

    @property
    def minor(self) -> int:
        """The 36 of 1.36.4."""
        return int(self.kubernetes.split(".")[1])

    @property
    def socket(self) -> str:
        """The CRI socket, as kubeadm wants it."""
        return self.runtime_socket or SOCKETS[self.runtime]

    @property
    def timeout_seconds(self) -> int:
        """How long the control plane gets to come up."""
        return 60 * int(self.timeout.removesuffix("m"))
