"""What parent and child say to each other: one order on stdin, JSON lines on stdout.

The order carries the passwords, so it travels through a pipe and nowhere else.
"""

import json
from dataclasses import asdict, dataclass, field
from typing import Literal, TypedDict, cast


@dataclass(frozen=True, slots=True)
class Order:
    """One run of ansible-playbook, for the child. Passwords are bare here: never log this."""

    directory: str
    """Private directory (0700) of this run; the child removes it."""
    playbook: str
    """Absolute path."""
    inventory: str
    """YAML text."""
    known_hosts: str
    hosts: tuple[str, ...]
    check: bool = False
    login: str | None = field(default=None, repr=False)
    sudo: str | None = field(default=None, repr=False)
    passphrases: dict[str, str] = field(default_factory=dict, repr=False)
    """By private key file."""

    def encode(self) -> bytes:
        """Return the order as one JSON line."""
        return json.dumps(asdict(self)).encode() + b"\n"


def decode_order(line: bytes) -> Order:
    """Return the order in a line that `Order.encode` made; ValueError if it is none."""
    try:
        values = json.loads(line)
        return Order(**{**values, "hosts": tuple(values["hosts"])})
    except (TypeError, KeyError, ValueError, RecursionError):
        # Without the cause: its text could quote the line, and with it a password.
        raise ValueError("not an order") from None


class LinesMessage(TypedDict):
    """Lines of Ansible's own output, not yet cleaned."""

    kind: Literal["lines"]
    lines: list[str]


class TaskMessage(TypedDict):
    """One task ended on one host; text not yet cleaned."""

    kind: Literal["task"]
    host: str
    task: str
    outcome: str
    message: str
    diff: str


class StatsMessage(TypedDict):
    """Ansible's recap: number of tasks per host."""

    kind: Literal["stats"]
    processed: list[str]
    changed: dict[str, int]
    failures: dict[str, int]
    unreachable: dict[str, int]


class EndMessage(TypedDict):
    """The last message of a run that ansible-runner saw through."""

    kind: Literal["end"]
    status: str
    exit_status: int


class ErrorMessage(TypedDict):
    """The last message of a run that could not be made."""

    kind: Literal["error"]
    reason: Literal["tool-missing", "authentication", "internal"]
    what: str
    fix: str


Message = LinesMessage | TaskMessage | StatsMessage | EndMessage | ErrorMessage

_SHAPES: dict[str, dict[str, type]] = {
    "lines": {"lines": list},
    "task": {"host": str, "task": str, "outcome": str, "message": str, "diff": str},
    "stats": {"processed": list, "changed": dict, "failures": dict, "unreachable": dict},
    "end": {"status": str, "exit_status": int},
    "error": {"reason": str, "what": str, "fix": str},
}


def encode_message(message: Message) -> bytes:
    """Return the message as one ASCII JSON line: no text in it can end the line."""
    return json.dumps(message).encode() + b"\n"


def decode_message(line: bytes) -> Message:
    """Return the message in a line; ValueError if it is none."""
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        raise ValueError("not JSON") from None
    shape = _SHAPES.get(str(values.get("kind"))) if isinstance(values, dict) else None
    if shape is None:
        raise ValueError("not a message")
    for key, kind in shape.items():
        value = values.get(key)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise ValueError(f"a {values['kind']} message without a proper {key}")
    for key, kind in shape.items():
        if kind is dict and not all(type(count) is int for count in values[key].values()):
            raise ValueError(f"a count in {key} is not a number")
        if kind is list and not all(isinstance(item, str) for item in values[key]):
            raise ValueError(f"an item in {key} is not text")
    return cast("Message", values)
