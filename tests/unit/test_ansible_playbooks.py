"""Which tasks a playbook would run, told without running it."""

from importlib.resources import files
from pathlib import Path

import pytest

from kubert_tui.ansible.playbooks import PlannedTask, list_tasks, playbook_path
from kubert_tui.ansible.templates import Knowledge
from kubert_tui.base.errors import ToolMissingError

LISTED = str(Path(__file__).parents[1] / "fixtures" / "playbooks" / "listed.yml")


def test_the_tasks_of_one_family_are_listed_in_order() -> None:
    tasks = list_tasks(LISTED, "debian")
    assert tasks == (
        PlannedTask(
            "Install tool", "ansible.builtin.apt", "ansible.builtin.apt name=tool state=present"
        ),
        PlannedTask(
            "Debian's own",
            "ansible.builtin.systemd_service",
            "ansible.builtin.systemd_service name=thing.service enabled=False",
        ),
        PlannedTask("Ask", "ansible.builtin.command", "tool --list 'two words'"),
        PlannedTask("Act on the answer", "ansible.builtin.shell", "echo '{{ answer.stdout }}'"),
    )


def test_variables_and_families_decide() -> None:
    fedora = [task.name for task in list_tasks(LISTED, "fedora", {"wanted": "mine"})]
    assert fedora == ["Fedora's own", "Ask", "Act on the answer"]
    assert list_tasks(LISTED, "debian", {"wanted": "mine"})[0].name == "Install mine"
    # Unknown: the include cannot be followed, so it is shown as it is.
    assert [task.module for task in list_tasks(LISTED, "other")] == [
        "ansible.builtin.include_tasks"
    ]


@pytest.mark.parametrize(
    ("condition", "excluded"),
    [
        ("ansible_facts.os_family == 'Debian'", False),
        ("ansible_facts['os_family'] == 'RedHat'", True),
        ("ansible_facts.os_family != 'Debian'", True),
        ("ansible_facts.os_family in ['RedHat', 'Suse']", True),
        ("not ansible_facts.os_family == 'RedHat'", False),
        (["answer is changed", "ansible_facts.os_family == 'RedHat'"], True),
        (["ansible_facts.os_family == 'Debian'", "answer.rc == 0"], False),
        ("ansible_facts.os_family == 'RedHat' or answer.rc == 0", False),
        ("ansible_facts.os_family == 'RedHat' and answer.rc == 0", True),
        ("answer.stdout | default('') | length > 0", False),
        ("ansible_facts.kernel is search('rt')", False),
        ("ansible_facts.distribution == 'Fedora'", False),
        ("'x' in answer.stdout", False),
        ("nowhere_defined", False),
        ("nowhere_defined | default(false)", True),
        ("not a condition at all (", False),
        (False, True),
        (True, False),
        (None, False),
        ([], False),
    ],
)
def test_only_what_cannot_be_is_excluded(condition: object, excluded: bool) -> None:
    knowledge = Knowledge({}, {"os_family": "Debian"}, {"answer"})
    assert knowledge.excludes(condition) is excluded


def test_templates_cannot_reach_into_python() -> None:
    knowledge = Knowledge({"x": "y"}, {})
    text = "{{ x.__class__.__mro__ }}"
    assert knowledge.fill(text) == text


def test_variables_in_a_circle_stay_as_they_are() -> None:
    assert Knowledge({"a": "{{ b }}", "b": "{{ a }}"}, {}).fill("{{ a }}") == "{{ a }}"


@pytest.mark.parametrize("name", ["nothing.yml", "../playbooks/update.yml", "/nowhere/x.yml", ""])
def test_a_playbook_that_is_not_ours_is_missing(name: str) -> None:
    with pytest.raises(ToolMissingError):
        playbook_path(name)


@pytest.mark.parametrize("family", ["debian", "fedora"])
@pytest.mark.parametrize(
    "name", sorted(Path(str(files("kubert_tui.playbooks"))).glob("*.yml")), ids=lambda p: p.name
)
def test_every_playbook_of_ours_can_be_listed(name: Path, family: str) -> None:
    tasks = list_tasks(name.name, family)
    assert tasks
    other = {"debian": "dnf", "fedora": "apt"}[family]
    assert not [task for task in tasks if task.module.rpartition(".")[2] == other]
