"""Density of applications, for real: all that takes longer than the quick way in test_cluster."""

from pathlib import Path

import pytest

from tests.lab.test_cluster import lab_of, through
from tests.support.density import until_there_is_no_room
from tests.support.kubernetes.hosts import ClusterHosts

pytestmark = [pytest.mark.lab, pytest.mark.cluster, pytest.mark.long, pytest.mark.timeout(1800)]


def test_steps(cluster_hosts: ClusterHosts, tmp_path: Path) -> None:
    hosts = cluster_hosts
    hosts.twins.introduce()
    lab = lab_of(hosts, tmp_path / "twins.yaml")
    through(lab, "--from", "cluster-nodes", "--until", "cluster-network")
    until_there_is_no_room(hosts, lab)
