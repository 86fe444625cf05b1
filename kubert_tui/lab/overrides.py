"""`--set KEY=VALUE`: change single values of a lab, checked like the file itself."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from kubert_tui.base.errors import UsageError
from kubert_tui.base.text import clean_line
from kubert_tui.lab.explain import explain, known_keys, suggestion
from kubert_tui.lab.model import Lab

_MEASURE = "cyclictest"


def override(lab: Lab, settings: Sequence[str]) -> Lab:
    """Return `lab` with `settings` such as `cyclictest.duration=5s` or `hosts.bull1.port=2222`.

    Lists are separated by commas (`allow=packages,kernel`; `allow=` for nothing). A later
    setting of a key wins. Raises UsageError naming the setting that does not fit.
    """
    data: dict[str, Any] = lab.model_dump(mode="json")
    measure: dict[str, str] = {}
    source: dict[tuple[str | int, ...], str] = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key.strip():
            raise _refused(setting, "expected KEY=VALUE", "such as cyclictest.duration=5s")
        steps = key.strip().split(".")
        location = _set(data, measure, steps, value.strip(), setting)
        source[location] = setting
    if measure:
        data[_MEASURE] = lab.cyclictest.changed(measure)
    try:
        return Lab.model_validate(data)
    except ValidationError as error:
        raise _explained(error, source) from None


def _set(
    data: dict[str, Any], measure: dict[str, str], steps: list[str], value: str, setting: str
) -> tuple[str | int, ...]:
    """Put `value` in its place; return the place as the model will call it."""
    place: list[str | int] = []
    part: Any = data
    while steps:
        step = steps.pop(0)
        if place == ["hosts"]:
            # Host names may have dots: take the longest name that fits.
            rest = [step, *steps]
            index, used = _host_index(part, rest, setting)
            steps = rest[used:]
            place.append(index)
            part = part[index]
            continue
        known = known_keys(tuple(place))
        if step not in known:
            what = f"unknown key; expected one of {', '.join(known)}" if known else "no such key"
            raise _refused(setting, what, suggestion(step, known))
        place.append(step)
        if steps and step != "hosts" and isinstance(part[step], list):
            raise _refused(setting, "a list cannot be set in parts", "change it in the lab file")
        if steps:
            if part[step] is None:
                part[step] = {}  # a cluster, which there was none of
            part = part[step]
    _put(part, measure, place, value, setting)
    return tuple(place)


def _put(
    part: Any, measure: dict[str, str], place: list[str | int], value: str, setting: str
) -> None:
    last = place[-1]
    if place == ["allow"]:
        part["allow"] = [word.strip() for word in value.split(",") if word.strip()]
    elif isinstance(last, int) or known_keys(tuple(place)):
        raise _refused(setting, "not a single value", "name a key inside it, or use the lab file")
    elif isinstance(part.get(last), list):
        part[last] = [word.strip() for word in value.split(",") if word.strip()]
    elif place[0] == _MEASURE:
        # The last of loops and duration wins, whatever the file says.
        for other in {"loops", "duration"} - {last} if last in ("loops", "duration") else ():
            measure.pop(other, None)
        measure[str(last)] = value
    elif place[0] == "kernel" and last in ("preset", "source"):
        part[last] = value
        if last == "preset":
            part["source"] = None  # follows from what is named now
        elif value == "distribution":
            part.update(preset="", packages=[])
    else:
        part[last] = value


def _host_index(hosts: list[Any], rest: list[str], setting: str) -> tuple[int, int]:
    names = [host["name"] for host in hosts]
    for used in range(len(rest), 0, -1):
        name = ".".join(rest[:used])
        if name in names:
            return names.index(name), used
    raise _refused(
        setting,
        f"no such host; expected one of {', '.join(names)}",
        suggestion(rest[0], tuple(names)),
    )


def _explained(error: ValidationError, source: Mapping[tuple[str | int, ...], str]) -> UsageError:
    lines = []
    for detail in error.errors(include_url=False):
        what, hint = explain(detail)
        rules = {"hosts": ("hosts",), "guests": ("machines",), "nodes": ("cluster",)}
        rules |= {"workloads": ("density",)}
        place = rules.get(detail["type"], detail["loc"])
        if detail["type"] == "loops" and (_MEASURE, "duration") in source:
            place = (_MEASURE, "duration")
        setting = next(
            (text for at, text in source.items() if at == place[: len(at)]),
            next((text for at, text in source.items() if at[:1] == place[:1]), ""),
        )
        lines.append(str(_refused(setting or ", ".join(source.values()), what, hint)))
    return UsageError("\n".join(dict.fromkeys(lines)))


def _refused(setting: str, what: str, hint: str) -> UsageError:
    return UsageError(f"--set {clean_line(setting)}: {what}", fix=hint)
