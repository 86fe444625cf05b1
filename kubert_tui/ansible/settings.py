"""The environment Ansible runs in: ours alone. The user's ansible.cfg and ANSIBLE_* stay out."""

import os
import shlex
import shutil
import sys
from pathlib import Path

from kubert_tui.ansible.protocol import Order
from kubert_tui.ansible.workspace import MARK
from kubert_tui.hosts.openssh import trust_options

_KEPT = (
    "HOME",
    "KRB5CCNAME",
    "LOGNAME",
    "PATH",
    "SHELL",
    "SSH_AUTH_SOCK",
    "TMPDIR",
    "TZ",
    "USER",
    "XDG_RUNTIME_DIR",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
)

PROGRAMS = Path(sys.prefix, "bin")
"""Where ansible-playbook lies: beside the Python that runs us."""


def environment(order: Order) -> dict[str, str]:
    """Return the whole environment of ansible-playbook for one run. Holds no secret."""
    directory = Path(order.directory)
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    path = os.pathsep.join(filter(None, (str(PROGRAMS), kept.get("PATH", os.defpath))))
    ssh = ("-o", "ControlMaster=auto", "-o", "ControlPersist=60s")
    return {
        **kept,
        MARK: order.directory,
        "PATH": path,
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",  # Ansible refuses to start without UTF-8
        "TERM": "dumb",
        "SSH_ASKPASS_REQUIRE": "never",
        "MAX_EVENT_RES": "8000000",
        "ANSIBLE_CONFIG": str(directory / "ansible.cfg"),
        "ANSIBLE_DEPRECATION_WARNINGS": "False",
        "ANSIBLE_DEVEL_WARNING": "False",
        "ANSIBLE_FORKS": str(max(5, len(order.hosts))),
        "ANSIBLE_HOME": str(directory / "home"),
        "ANSIBLE_HOST_KEY_CHECKING": "True",
        "ANSIBLE_INJECT_FACT_VARS": "False",
        "ANSIBLE_INVENTORY_ENABLED": "yaml",
        "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
        "ANSIBLE_LOCALHOST_WARNING": "False",
        "ANSIBLE_LOCAL_TEMP": str(directory / "tmp"),
        "ANSIBLE_NOCOLOR": "True",
        "ANSIBLE_NOCOWS": "True",
        # Without it modules are files in ~/.ansible on the host, and that directory stays.
        "ANSIBLE_PIPELINING": "True",
        "ANSIBLE_REMOTE_TEMP": "/tmp",  # noqa: S108
        "ANSIBLE_RETRY_FILES_ENABLED": "False",
        "ANSIBLE_SSH_ARGS": shlex.join((*ssh, *trust_options(Path(order.known_hosts)))),
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(control_directory(order)),
        "ANSIBLE_SSH_PASSWORD_MECHANISM": password_mechanism(),
        "ANSIBLE_TIMEOUT": "20",
    }


def control_directory(order: Order) -> Path:
    """Return where ssh's control sockets lie."""
    return Path(order.directory, "cp")


def agent_socket(directory: Path) -> Path:
    """Return the socket of the run's own agent."""
    return directory / "agent"


def password_mechanism() -> str:
    """Return how Ansible gives a login password to ssh.

    sshpass gets it through a pipe; without sshpass, ansible-core 2.19 and later answers
    ssh's askpass from shared memory.
    """
    return "sshpass" if shutil.which("sshpass") else "ssh_askpass"
