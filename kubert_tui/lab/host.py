"""A machine of the lab, as the lab file says it."""

from typing import Any, Literal

from pydantic import Field, field_validator

from kubert_tui.lab.cpus import CpusSpec
from kubert_tui.lab.part import HostName, Part


class HostSpec(Part):
    """One machine of the lab, and how to reach it."""

    name: HostName
    connection: Literal["ssh", "local"] = Field(
        default="ssh", description="local: the machine kubert-tui runs on."
    )
    # No leading dash anywhere: these end in argument lists of ssh and ansible.
    address: str = Field(
        default="",
        max_length=255,
        pattern=r"^([A-Za-z0-9_:\[][A-Za-z0-9._:%\[\]-]*)?$",
        description="Name or IP; the host's name if empty.",
    )
    port: int = Field(default=0, ge=0, le=65535, description="0: ssh config's, else 22.")
    user: str = Field(
        default="",
        max_length=255,
        pattern=r"^([A-Za-z0-9_][A-Za-z0-9_.@\\+-]*\$?)?$",
        description="Login; ssh config's, else yours, if empty.",
    )
    identity_file: str = Field(default="", description="Private key; ~ is expanded.")
    jump: str = Field(
        default="",
        max_length=255,
        pattern=r"^(([A-Za-z0-9_][A-Za-z0-9_.@\\+-]*@)?[A-Za-z0-9_\[][A-Za-z0-9._:%\[\]-]*)?$",
        description="Jump host: name of another host of this lab or [user@]host[:port].",
    )
    sudo: Literal["auto", "yes", "no"] = Field(
        default="auto", description="auto: sudo unless the login is root."
    )
    bridge_nic: str = Field(
        default="",
        pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,14})?$",
        description="Network card that goes into the bridge of `network: kind: bridge`; none: a "
        "bridge that reaches no further than this host. Never chosen for you.",
    )
    cpus: CpusSpec = Field(default=CpusSpec(), description="The CPU plan; none if empty.")

    @field_validator("sudo", mode="before")
    @classmethod
    def _yes_and_no(cls, value: Any) -> Any:
        """Accept `true` and `false` too."""
        return {"true": "yes", "false": "no"}.get(str(value).lower(), value)
