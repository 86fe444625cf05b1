"""The wheel and the source archive hold what a checkout does, and work installed."""

import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
DATA = {"kubert_tui/playbooks": "playbooks", "kubert_tui/rt_tests": "rt-tests"}
SOURCES = {**DATA, "kubert_tui/screens": "screens"}
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", ".*_cache", "__pycache__", "*.egg-info", "build", "dist", ".ansible"
)

pytestmark = [pytest.mark.lab, pytest.mark.network]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the source archive, and the wheel made from that archive."""
    directory = tmp_path_factory.mktemp("packaging")
    shutil.copytree(CHECKOUT, directory / "checkout", symlinks=True, ignore=LEFT_OUT)
    run(sys.executable, "-m", "build", "--outdir", directory / "dist", directory / "checkout")
    return directory / "dist"


@pytest.fixture(scope="module")
def python(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a new environment that has the wheel, and our libraries by path."""
    directory = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(directory, with_pip=True)
    interpreter = directory / "bin" / "python"
    (wheel,) = built.glob("*.whl")
    run(interpreter, "-m", "pip", "install", "--no-deps", "--no-index", wheel)
    (site,) = directory.glob("lib/python*/site-packages")
    libraries = Path(pytest.__file__).parents[1]
    # A .pth line adds the libraries, but reads none of their .pth files: the editable
    # installation of the checkout stays out.
    (site / "libraries.pth").write_text(f"{libraries}\n", encoding="utf-8")
    return interpreter


def run(*command: object) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
        cwd="/",
        env={k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")},
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def data_files(folder: str) -> set[str]:
    """Every file of a folder but those written for readers of the repository."""
    root = CHECKOUT / folder
    return {
        str(path.relative_to(root))
        for path in root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".md"
    }


def test_wheel_holds_screens_playbooks_and_rt_tests(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    for package, folder in SOURCES.items():
        wanted = {f"{package}/{name}" for name in data_files(folder)}
        assert f"{package}/__init__.py" in wanted
        assert wanted - names == set()
    assert "kubert_tui/py.typed" in names
    assert not any(name.startswith(("screens/", "playbooks/", "tests/")) for name in names)
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_source_archive_keeps_the_layout(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        names = {name.partition("/")[2] for name in file.getnames()}
    for folder in SOURCES.values():
        assert {f"{folder}/{name}" for name in data_files(folder)} - names == set()
    assert "LICENSE" in names


def test_installed_command_works_without_the_checkout(python: Path) -> None:
    where = run(python, "-c", "import kubert_tui; print(kubert_tui.__file__)")
    assert str(CHECKOUT) not in where
    assert str(python.parents[1]) in where
    script = python.with_name("kubert-tui")
    assert run(script, "--version").startswith("kubert-tui ")
    assert '"$schema"' in run(script, "lab", "schema")


@pytest.mark.parametrize(("package", "folder"), DATA.items())
def test_installed_package_finds_its_files(python: Path, package: str, folder: str) -> None:
    module = package.replace("/", ".")
    program = f"""
from importlib.resources import files
for path in sorted(files({module!r}).iterdir()):
    print(path.name)
"""
    found = set(run(python, "-c", program).split())
    assert {Path(name).parts[0] for name in data_files(folder)} - found == set()


def test_installed_screens_import(python: Path) -> None:
    run(python, "-c", "import kubert_tui.screens, kubert_tui.cli.main")
