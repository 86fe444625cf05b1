"""What pydantic found wrong, in the words of somebody who writes a lab file."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from kubert_tui.base.text import clean_line
from kubert_tui.lab.model import Lab
from kubert_tui.lab.presets import CHECKSUM_COMMAND, KERNEL_PRESETS
from kubert_tui.lab.rules import Location

_EXPECTED = {
    "name": "letters, digits, dots, dashes and underscores, a letter or digit at both ends",
    "machine": "a host name: lower-case letters, digits and dashes, a letter first",
    "bridge": "an interface's name such as br0",
    "prefix": "an address without its last digit, such as 192.168.11.5",
    "url": "an address such as https://host/path/kernel.rpm",
    "sha256": "64 lower-case hexadecimal digits",
    "sha512": "128 lower-case hexadecimal digits",
    "mirror": "an address such as https://mirror.lan/debian",
    "box": "a box's name such as fedora/43-cloud-base",
    "address": "a host name or an IP address",
    "user": "a login name",
    "jump": "the name of another host of this lab, or [user@]host[:port]",
    "cpus": "a CPU list such as 2-15 or 2,4-7, or isolated",
    "version": "a version such as default, 1.0, 2.10 or stable/v1.0",
    "kubernetes": "a version such as 1.36 or 1.36.4",
    "repository": "an address such as https://mirror/kubernetes",
    "repository_key": "a fingerprint: 40 hexadecimal digits in capitals",
    "runtime_socket": "a socket such as unix:///run/containerd/containerd.sock",
    "timeout": "minutes such as 10m",
    "api_server": "arguments such as audit-log-maxage=30",
    "controller_manager": "arguments such as node-cidr-mask-size=24",
    "kubelet": "arguments such as max-pods=50",
    "workload": "lower-case letters, digits and dashes, a letter first",
}
_HINTS = {
    "sha256": f"compute it: {CHECKSUM_COMMAND.format(url='URL')}",
    "hosts": "every host starts with `- name: ...`",
    "allow": "[packages, kernel, reboot, services, cluster], or [] for nothing",
}
_MEANT = {
    "ip": "address",
    "hostname": "address",
    "host": "address",
    "login": "user",
    "username": "user",
    "key": "identity_file",
    "ssh_key": "identity_file",
    "private_key": "identity_file",
    "bastion": "jump",
    "proxy_jump": "jump",
    "proxyjump": "jump",
    "permissions": "allow",
    "buckets": "histogram",
    "cpus": "vcpus",
    "cpu": "vcpus",
    "ram": "memory",
    "size": "disk",
}
_FIXED = {
    "missing": "missing, but required",
    "int_parsing": "expected a whole number",
    "int_type": "expected a whole number",
    "int_from_float": "expected a whole number",
    "int_parsing_size": "expected a smaller number",
    "bool_parsing": "expected true or false",
    "bool_type": "expected true or false",
    "string_type": "expected text",
    "model_type": "expected keys and values (`key: value`)",
    "dict_type": "expected keys and values (`key: value`)",
    "tuple_type": "expected a list",
    "frozen_set_type": "expected a list",
    "too_short": "expected at least one",
}
_OURS = {"unprintable", "duration", "loops", "cpus", "kernel", "rt_tests", "hosts"}
_OURS |= {"size", "ipv4", "machines", "guests", "image", "cluster", "nodes"}
_OURS |= {"workload", "workloads"}
"""Error types our own validators raise; their message is ready to show."""


def explain(error: ErrorDetails) -> tuple[str, str]:
    """Return what was expected (and what came instead), and a hint that may be empty."""
    kind = error["type"]
    key = str(error["loc"][-1]) if error["loc"] else ""
    if kind == "extra_forbidden":
        return _unknown_key(error["loc"])
    if kind == "missing":
        return _FIXED[kind], _HINTS.get(key, "")
    if kind == "preset":
        return error["msg"], suggestion(str(error["input"]), tuple(KERNEL_PRESETS))
    if kind in _OURS:
        return error["msg"], _HINTS.get(key, "")
    if (error["loc"][:1], key) == (("machines",), "name"):
        key = "machine"
    if (error["loc"][:1], key) == (("workloads",), "name"):
        key = "workload"
    if key.isdigit():
        key = _last_name(error["loc"])  # an item of a list
    expected = _FIXED.get(kind) or _by_context(kind, key, error.get("ctx", {}), error["msg"])
    hint = _HINTS.get(_last_name(error["loc"]), "")
    if kind in ("literal_error", "enum"):
        hint = _meant_value(error["input"], str(error.get("ctx", {}).get("expected", ""))) or hint
    return f"{expected}, got {_shown(error['input'])}", hint


def known_keys(location: Location) -> tuple[str, ...]:
    """Return the keys that the part of a lab at `location` may have; () if it is none."""
    model: Any = Lab
    for step in location:
        if isinstance(step, int):
            continue
        if not _is_part(model) or step not in model.model_fields:
            return ()
        model = _element(model.model_fields[step].annotation)
    return tuple(model.model_fields) if _is_part(model) else ()


def suggestion(word: str, known: tuple[str, ...]) -> str:
    """Return `did you mean X?`, or nothing if nothing known resembles `word`."""
    meant = _MEANT.get(word.lower().replace("-", "_"), "")
    close = get_close_matches(word.lower().replace("-", "_"), known, n=1, cutoff=0.6)
    best = meant if meant in known else (close[0] if close else "")
    return f"did you mean {best}?" if best else ""


def _unknown_key(location: Location) -> tuple[str, str]:
    known = known_keys(location[:-1])
    word = str(location[-1])
    hint = suggestion(word, known)
    parts = [part for part in Lab.model_fields if word in known_keys((part,))]
    if not hint and len(location) == 1 and parts:
        hint = f"it belongs under `{parts[0]}:`"
    return f"unknown key; expected one of {', '.join(known)}", hint


def _by_context(kind: str, key: str, context: Mapping[str, Any], message: str) -> str:
    bounds = {
        "greater_than_equal": ("ge", "expected at least {}"),
        "less_than_equal": ("le", "expected at most {}"),
        "string_too_long": ("max_length", "expected at most {} characters"),
        "literal_error": ("expected", "expected {}"),
        "enum": ("expected", "expected {}"),
    }
    if kind in bounds:
        name, text = bounds[kind]
        return text.format(context[name])
    if kind == "string_pattern_mismatch" and key in _EXPECTED:
        return f"expected {_EXPECTED[key]}"
    return message


def _meant_value(given: object, expected: str) -> str:
    values = tuple(part.strip(" '") for part in expected.replace(" or ", ",").split(","))
    return suggestion(given, values) if isinstance(given, str) else ""


def _last_name(location: Location) -> str:
    return next((step for step in reversed(location) if isinstance(step, str)), "")


def _shown(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case Mapping():
            return "keys and values"
        case list() | tuple():
            return "a list" if value else "an empty list"
        case str():
            return f"`{clean_line(value, limit=60)}`" if value else "empty text"
        case _:
            return clean_line(repr(value), limit=60)


def _is_part(model: object) -> bool:
    return isinstance(model, type) and issubclass(model, BaseModel)


def _element(annotation: Any) -> Any:
    """The model inside `tuple[Model, ...]`, or the annotation itself."""
    inner = [argument for argument in get_args(annotation) if _is_part(argument)]
    return inner[0] if inner else annotation
