"""What can be known of a playbook's templates before it runs.

Values we hold (a host's variables, its family) are put in; whatever depends on the run itself
(registered results, facts not gathered yet) stays unknown, and unknown is never guessed.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

_WHOLE = re.compile(r"\s*\{\{((?:(?!\}\}).)*)\}\}\s*", re.DOTALL)
_DEPTH = 10


class UnknownError(Exception):
    """A template needs something that only the run will tell."""


class _Unknown:
    """Stands for a value of the run: whatever is done with it is unknown too."""

    def _refuse(self, *_arguments: object, **_named: object) -> Any:
        raise UnknownError

    __getattr__ = __getitem__ = __call__ = __iter__ = __len__ = __bool__ = _refuse
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = _refuse
    __add__ = __radd__ = __sub__ = __mod__ = __str__ = __html__ = __int__ = __float__ = _refuse
    __hash__ = object.__hash__


class _Facts(dict[str, object]):
    """Facts of which only some are known."""

    def __missing__(self, _key: str) -> object:
        return _Unknown()

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name]


class Knowledge:
    """Evaluates templates with what is known: `variables`, `facts`, and which names are not."""

    def __init__(
        self,
        variables: Mapping[str, object],
        facts: Mapping[str, object],
        unknown: Iterable[str] = (),
    ) -> None:
        self._environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
        self._variables = {
            **dict.fromkeys(unknown, _Unknown()),
            "item": _Unknown(),
            "inventory_hostname": _Unknown(),
            "playbook_dir": _Unknown(),
            **variables,
            "ansible_facts": _Facts(facts),
        }

    def with_variables(self, variables: Mapping[str, object]) -> "Knowledge":
        """Return knowledge that holds more variables (a play's); those at hand win."""
        more = Knowledge({}, {})
        more._variables = {**variables, **self._variables}
        return more

    def excludes(self, condition: object) -> bool:
        """Whether a `when` (text, truth value or list, all of which must hold) cannot hold."""
        if isinstance(condition, list):
            return any(self.excludes(part) for part in condition)
        if isinstance(condition, bool) or condition is None:
            return condition is False
        try:
            return not self._expression(str(condition), 0)
        except UnknownError:
            return False

    def fill(self, value: object) -> object:
        """Return `value` with every template in it that can be known replaced by its value."""
        if isinstance(value, dict):
            return {key: self.fill(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.fill(item) for item in value]
        if not isinstance(value, str):
            return value
        try:
            return self._value(value, 0)
        except UnknownError:
            return value.strip()

    def _value(self, value: object, depth: int) -> object:
        if not isinstance(value, str) or "{" not in value:
            return value
        if depth > _DEPTH:
            raise UnknownError
        if whole := _WHOLE.fullmatch(value):
            return self._expression(whole[1], depth)
        try:
            template = self._environment.from_string(value)
            return template.render(self._context(value, depth))
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise UnknownError from error

    def _expression(self, text: str, depth: int) -> object:
        try:
            compiled = self._environment.compile_expression(text.strip(), undefined_to_none=False)
            result = compiled(**self._context(text, depth))
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise UnknownError from error
        parts = result if isinstance(result, list) else [result]
        if any(isinstance(part, (_Unknown, StrictUndefined)) for part in parts):
            raise UnknownError
        return result

    def _context(self, text: str, depth: int) -> dict[str, object]:
        """Return the variables that `text` names, themselves evaluated."""
        names = {name for name in re.findall(r"[A-Za-z_]\w*", text) if name in self._variables}
        context: dict[str, object] = {}
        for name in names:
            try:
                context[name] = self._value(self._variables[name], depth + 1)
            except UnknownError:
                context[name] = _Unknown()
        return context
