"""From a host of the lab to a host we can run commands on."""

from kubert_tui.hosts.dialling import open_connection
from kubert_tui.hosts.interface import Asker, Host
from kubert_tui.hosts.local import LocalHost
from kubert_tui.hosts.ssh import SshHost
from kubert_tui.hosts.ssh_config import Endpoint, endpoint_of
from kubert_tui.lab.model import HostSpec, Lab

__all__ = ["Endpoint", "connect", "endpoint_of"]


def connect(spec: HostSpec, lab: Lab, asker: Asker) -> Host:
    """Connect to `spec` (through jump hosts of `lab` if it says so) and log in.

    Raises UnreachableError, HostKeyError, AuthenticationError, and LabFileError or
    UsageError when lab file or ssh's configuration do not make sense.
    """
    if spec.connection == "local":
        return LocalHost(spec, asker)
    return SshHost(spec, open_connection(endpoint_of(spec, lab), asker), asker)
