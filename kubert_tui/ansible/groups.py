"""Hosts that can share one ansible-playbook: it asks for one login and one sudo password."""

from dataclasses import dataclass, replace

from kubert_tui.ansible.inventory import endpoint
from kubert_tui.ansible.request import HostSecrets, PlaybookRequest
from kubert_tui.base.secrets import Secret
from kubert_tui.lab.model import HostSpec, Lab


@dataclass(frozen=True, slots=True)
class Group:
    """A request for hosts with equal passwords, and those passwords."""

    request: PlaybookRequest
    login: Secret | None
    sudo: Secret | None
    passphrases: dict[str, Secret]
    """Of these hosts and of the jump hosts on their way, by private key file."""


def groups_of(request: PlaybookRequest, lab: Lab | None = None) -> tuple[Group, ...]:
    """Return the request's hosts in groups of equal passwords, in their order."""
    everyone = {**{spec.name: spec for spec in request.hosts}, **request.jump_hosts}
    groups: dict[tuple[str | None, str | None], list[HostSpec]] = {}
    for spec in request.hosts:
        secrets = _secrets(request, spec)
        key = (_revealed(secrets.login), _revealed(secrets.sudo))
        groups.setdefault(key, []).append(spec)
    return tuple(
        _group(replace(request, hosts=tuple(hosts), jump_hosts=everyone), lab)
        for hosts in groups.values()
    )


def _group(request: PlaybookRequest, lab: Lab | None) -> Group:
    first = _secrets(request, request.hosts[0])
    passphrases: dict[str, Secret] = {}
    for spec in request.hosts:
        if spec.connection == "local":
            continue
        target = endpoint(spec, request, lab)
        for hop in (target, *target.jumps):
            if hop.name in request.secrets:
                passphrases.update(request.secrets[hop.name].passphrases)
    return Group(request, first.login, first.sudo, passphrases)


def _secrets(request: PlaybookRequest, spec: HostSpec) -> HostSecrets:
    secrets = request.secrets.get(spec.name, HostSecrets())
    # A login password is of no use on this machine, and Ansible would ask for it.
    return replace(secrets, login=None) if spec.connection == "local" else secrets


def _revealed(secret: Secret | None) -> str | None:
    return secret.reveal() if secret else None
