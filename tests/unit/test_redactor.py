"""Secrets are recognised however a program writes them."""

import base64
import html
import json
import re
import shlex
import urllib.parse
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubert_tui.base.secrets import MASK, Redactor, Secret
from kubert_tui.base.text import clean, clean_line
from kubert_tui.events.codec import redacted
from kubert_tui.events.model import Failure, PlanMade, PlannedStep, StageFinished, StageState
from tests.support.canary import canary, found_in_bytes
from tests.support.fuzzing import cases

WAYS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "json": json.dumps,
    "json, not ascii": lambda text: json.dumps(text, ensure_ascii=False),
    "python": repr,
    "python bytes": lambda text: repr(text.encode()),
    "shell": shlex.quote,
    "html": html.escape,
    "cleaned": clean,
    "folded": clean_line,
    "url": lambda text: urllib.parse.quote(text, safe=""),
    "form": urllib.parse.quote_plus,
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "hex": lambda text: text.encode().hex(),
}


def redactor_of(*secrets: str) -> Redactor:
    redactor = Redactor()
    for secret in secrets:
        redactor.learn(secret)
    return redactor


@pytest.mark.parametrize("outer", WAYS)
@pytest.mark.parametrize("inner", ["as it is", "json", "json, not ascii", "python", "shell"])
def test_quoted_and_quoted_again(inner: str, outer: str) -> None:
    secret = canary()
    plain = outer in ("url", "form", "base64", "hex")
    written = WAYS[outer](secret if plain else WAYS[inner](secret))
    told = redactor_of(secret).redact(f"before {written} after {json.dumps(written)}")
    assert found_in_bytes(told.encode()) == "", told
    assert told.startswith("before ")
    assert MASK in told


# A password has no control characters (Ansible's prompts refuse them), so it is one line.
SECRETS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp")), min_size=1, max_size=12
).filter(str.strip)
QUOTING = st.lists(st.sampled_from([json.dumps, repr, str, shlex.quote]), max_size=3)


@cases(150)
@given(SECRETS, QUOTING)
def test_any_secret_in_any_quotes(secret: str, quoting: list[Callable[[str], str]]) -> None:
    written = secret
    for quote in quoting:
        written = quote(written)
    told = redactor_of(secret).redact(f"before {written} after")
    assert MASK in told, told
    left = told.removeprefix("before ").removesuffix(" after").replace(MASK, "")
    assert not re.search(r"[^\s\"'\\]", left), "more than quotes and blanks around it is left"


@pytest.mark.parametrize("length", [4, 8, 15])
def test_a_cut_line_does_not_give_away_the_beginning(length: int) -> None:
    redactor = redactor_of("correct horse battery")
    line = clean_line("x" * 100 + "correct horse battery", limit=101 + length)
    assert redactor.redact(line) == "x" * 100 + f"{MASK}…"
    assert redactor.redact("cor…") == "cor…"


def test_a_secret_inside_another_leaves_no_rest() -> None:
    assert redactor_of("horse", "correct horse").redact("correct horse") == MASK


@pytest.mark.timeout(20)
@pytest.mark.parametrize("secret", ["\\\\a\\\\b", "\\" * 20 + "x", "ab\\", "'''a'''", " a b "])
def test_masking_takes_bounded_time(secret: str) -> None:
    for text in ("\\" * 200_000, "a" * 200_000, " " * 200_000, "'" * 200_000, "…" * 5_000):
        redactor_of(secret).redact(f"{text}ab{text}")


def test_names_of_ours_stay_whatever_the_password_is() -> None:
    Secret("bull1")
    finished = StageFinished(
        stage="bull1", state=StageState.DONE, hosts={"bull1": StageState.DONE}, summary="bull1: ok"
    )
    told = redacted(finished)
    assert isinstance(told, StageFinished)
    assert (told.stage, told.hosts) == ("bull1", {"bull1": StageState.DONE})
    assert told.summary == f"{MASK}: ok"


def test_an_event_is_masked_to_its_depths_and_otherwise_left_alone() -> None:
    Secret("correct horse")
    plan = PlanMade(steps=(PlannedStep("a", "t", "echo 'correct horse'"),), missing=("x",))
    told = redacted(plan)
    assert isinstance(told, PlanMade)
    assert told.steps[0].command == f"echo '{MASK}'"
    untouched = Failure(what="no", command=("a", "b"))
    assert redacted(untouched) is untouched
