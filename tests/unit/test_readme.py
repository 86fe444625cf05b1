"""What the README promises, taken literally."""

import re
from pathlib import Path

from kubert_tui.cli.main import main
from kubert_tui.lab.load import parse_lab
from kubert_tui.lab.model import Permission

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_the_lab_file_is_one() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    lab = parse_lab(text, "README.md")
    assert [host.name for host in lab.hosts] == ["bull1", "bull2"]
    assert lab.allow == frozenset(Permission)


def test_lab_init_writes_what_it_says(tmp_path: Path) -> None:
    (line,) = re.findall(
        r"^kubert-tui (lab init .*?twins\.yaml)$", README, re.DOTALL | re.MULTILINE
    )
    arguments = line.replace("\\\n", " ").replace("twins.yaml", str(tmp_path / "twins.yaml"))
    assert main(arguments.split()) == 0
    assert main(["lab", "check", str(tmp_path / "twins.yaml")]) == 0


def test_every_stage_and_every_local_link_is_there() -> None:
    table = re.findall(r"^\| (\d+) \| ", README, re.MULTILINE)
    files = (ROOT / "kubert_tui" / "stages").glob("s[0-9][0-9]_*.py")
    assert [int(number) for number in table] == sorted(int(file.name[1:3]) for file in files)
    for path in re.findall(r"\]\(((?!https?:)[^)#]+)\)", README):
        assert (ROOT / path).exists(), path
