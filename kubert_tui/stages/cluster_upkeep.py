"""The cluster kept up: certificates rotated, and all of it upgraded. Asked for by hand."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kubert_tui.base.errors import ChangeError, KubertError
from kubert_tui.checks import cluster_upkeep
from kubert_tui.checks.cluster import of_node
from kubert_tui.checks.finding import Check
from kubert_tui.checks.judging import Verdict, failed, ok, unknown
from kubert_tui.checks.skew import is_version, upgrade_problem
from kubert_tui.facts.cluster import Certificate, ClusterSeen
from kubert_tui.facts.fact import Known, Unknown
from kubert_tui.facts.model import Facts
from kubert_tui.lab.cluster import ClusterSpec
from kubert_tui.lab.model import Lab, Permission
from kubert_tui.lab.nodes import Node
from kubert_tui.stages.cluster_change import (
    ClusterChange,
    cluster_playbook,
    control_plane_helps,
    export,
    not_for_others,
    observe_node,
    only_control_plane,
)
from kubert_tui.stages.cluster_moves import DrainOptions
from kubert_tui.stages.kubeconfig import kept_fingerprint
from kubert_tui.stages.model import Guide, Stage, Where, Work

ADMIN = "admin.conf"


def to_renew(certificates: tuple[Certificate, ...], days: int) -> tuple[str, ...]:
    """Return which certificates a rotation renews: the administrator's, and who expires soon."""
    return tuple(sorted({ADMIN, *(one.name for one in certificates if one.days < days)}))


@dataclass(slots=True)
class _Rotation:
    """One rotation: the administrator's certificate has to become another one than `before`."""

    lab: str
    days: int
    before: str = field(init=False)
    due: dict[str, str] | None = field(init=False, default=None)
    """What had to be renewed when it was looked at first: fingerprints by name."""

    def __post_init__(self) -> None:
        self.before = kept_fingerprint(self.lab)

    def variables(self, _lab: Lab, facts: Facts) -> Mapping[str, object]:
        seen = facts.cluster.value.certificates if isinstance(facts.cluster, Known) else None
        found = seen.value if isinstance(seen, Known) else ()
        return {"cluster_renew": list(to_renew(found, self.days))}

    def observe(self, work: Work, facts: Facts) -> Facts:
        """Look; and keep the new kubeconfig as soon as there is one."""
        facts = observe_node(work, facts)
        now = _administrator(facts.cluster.value) if isinstance(facts.cluster, Known) else ""
        if self.due is None and isinstance(facts.cluster, Known):
            found = facts.cluster.value.certificates
            known = found.value if isinstance(found, Known) else ()
            soon = to_renew(known, self.days)
            self.due = {one.name: one.fingerprint for one in known if one.name in soon}
        if not self.before:
            # None was kept here: what is there now is what has to change.
            self.before = now
        if now and now not in (self.before, kept_fingerprint(self.lab)) and not work.dry_run:
            export(work, facts.host)
        return facts

    def judge(
        self, _facts: Facts, seen: ClusterSeen, _cluster: ClusterSpec, _node: Node
    ) -> Verdict:
        if isinstance(seen.certificates, Unknown):
            return unknown("The administrator's certificate", seen.certificates)
        again = "kubert-tui cluster rotate"
        if not (now := _administrator(seen)):
            return failed("There is no administrator's certificate.", "Make the control plane.")
        if now == self.before:
            return failed("The administrator's certificate is the one that was kept here.", again)
        due = (self.due or {}).items()
        there = {(one.name, one.fingerprint) for one in seen.certificates.value}
        if left := [name for name, old in due if name != ADMIN and (name, old) in there]:
            return failed(f"Within {self.days} days expire: {', '.join(left)}.", again)
        return ok("The administrator's certificate is a new one.")


def _administrator(seen: ClusterSeen) -> str:
    found = seen.certificates.value if isinstance(seen.certificates, Known) else ()
    return next((one.fingerprint for one in found if one.name == ADMIN), "")


def rotate_stage(lab: str, days: int) -> Stage:
    """Return the stage that renews the administrator's certificate, and all good for few `days`."""
    rotation = _Rotation(lab, days)
    renewed = Check(
        "cluster.rotated",
        "Certificates renewed",
        "Who has an old kubeconfig is the cluster's administrator until its certificate expires.",
        "kubeadm certs renew",
        of_node("The administrator's certificate", rotation.judge),
    )
    return Stage(
        id="cluster-rotate",
        title="Renew the administrator's certificate",
        guide=Guide(
            what="Makes the administrator's certificate anew, and those of the control plane that "
            "expire soon; its pods are restarted where their certificate was renewed. The new "
            "kubeconfig replaces the one kept here. The old one is good until it expires: "
            "Kubernetes cannot take a certificate back.",
            why="kubeadm's certificates are good for a year.",
            readme="(no step of the README renews certificates)",
            ours="kubeadm certs renew, for what has to be renewed only",
            differs="",
        ),
        checks=(renewed,),
        goals=frozenset({renewed.id}),
        change=ClusterChange(cluster_playbook("cluster-rotate.yml", more=rotation.variables)),
        helpers=control_plane_helps,
        where=Where.NODES,
        not_for=only_control_plane,
        observe=rotation.observe,
    )


def against_upgrade(lab: Lab, facts: Facts) -> KubertError | None:
    """Return why the cluster may not be upgraded to the lab file's version, if it may not."""
    seen = facts.cluster.value if isinstance(facts.cluster, Known) else None
    if seen is None or lab.cluster is None:
        return ChangeError("what the cluster runs is not known", host=facts.host)
    for fact in (seen.server, seen.nodes):
        if isinstance(fact, Unknown):
            return ChangeError(f"what the cluster runs is not known: {fact.reason}")
    kubelets = (
        {one.name: one.version for one in seen.nodes.value} if isinstance(seen.nodes, Known) else {}
    )
    server = seen.server.value if isinstance(seen.server, Known) else ""
    what, fix = upgrade_problem(server, lab.cluster.kubernetes, kubelets)
    if not what and lab.cluster.packages == "preinstalled":
        what, fix = _not_there(seen, lab.cluster.kubernetes)
    return ChangeError(what, fix=fix, host=facts.host) if what else None


def _not_there(seen: ClusterSeen, wanted: str) -> tuple[str, str]:
    for name, fact in (("kubeadm", seen.kubeadm), ("kubelet", seen.kubelet_version)):
        found = fact.value if isinstance(fact, Known) else ""
        if not is_version(found, wanted):
            what = (
                f"{name} is {found or 'not there'}, and with `packages: preinstalled` {wanted} "
                "has to be there before the upgrade"
            )
            return what, (
                f"put kubeadm, kubelet and kubectl {wanted} where PATH finds them (/usr/bin), and "
                "do not restart the kubelet"
            )
    return "", ""


def upgrade_stage(options: DrainOptions) -> Stage:
    """Return the stage that upgrades the cluster to the lab file's version."""
    return Stage(
        id="cluster-upgrade",
        title="Upgrade the cluster",
        guide=Guide(
            what="Brings the control plane to the version of the lab file, then worker after "
            "worker: drained, upgraded, and let back when it is ready. It goes on where it was "
            "broken off, by the versions that it finds.",
            why=cluster_upkeep.VERSION.why,
            readme="(no step of the README upgrades a cluster)",
            ours="kubeadm upgrade apply on the control plane; on each worker kubectl drain, "
            "kubeadm upgrade node, the new kubelet, kubectl uncordon",
            differs="",
        ),
        checks=(cluster_upkeep.UPGRADED,),
        goals=frozenset({cluster_upkeep.UPGRADED.id}),
        change=ClusterChange(
            cluster_playbook(
                "cluster-upgrade.yml",
                Permission.PACKAGES,
                Permission.SERVICES,
                confirm="The API server is away for a minute, and every node is drained in turn. "
                "There is no way back to the old version.",
                more=options.variables,
            ),
            exports=True,
            against=against_upgrade,
        ),
        helpers=control_plane_helps,
        where=Where.NODES,
        not_for=not_for_others,
        observe=observe_node,
    )
