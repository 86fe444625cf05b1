"""A checkout of ./run and ./test alone, and a PATH where every outside program is a stand-in.

Its Python notes the environments it makes and its pip calls. Nothing here touches the
machine or the network.
"""

import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
BASICS = ["bash", "cat", "chmod", "cksum", "cp", "env", "find", "flock", "grep", "head"]
BASICS += ["mkdir", "mktemp", "readlink", "rm", "sed", "tail", "tr", "wc"]
TOOLS = ["gcc", "pkg-config", "ssh", "make", "git", "xz", "patch", "dpkg-source"]

PYTHON = r"""#!/bin/bash
# Stands in for Python: makes environments, notes pip calls, behaves as the files in $LAB say.
case "$*" in
*--version*) echo "Python $(cat "$LAB/version")" ;;
-c*version_info*) [[ $(cat "$LAB/version") != 3.9* ]] ;;
-c*) exit 0 ;;
"-m venv"*)
    mkdir -p "$4/bin"
    cp "$0" "$4/bin/python"
    echo "#!$4/bin/python" >"$4/bin/pip"
    echo venv >>"$LAB/calls"
    ;;
"-m pip"*)
    echo "pip ${*: -1}" >>"$LAB/calls"
    if [[ -e $LAB/gate ]]; then cat "$LAB/gate"; fi
    if [[ -e $LAB/pip-says ]]; then cat "$LAB/pip-says"; exit 1; fi
    printf '#!/bin/bash\necho "started: $*"\n' >"${0%python}kubert-tui"
    chmod +x "${0%python}kubert-tui"
    ;;
esac
"""


@dataclass
class Bench:
    """A checkout, the programs that ./run can find, and what they were asked."""

    directory: Path
    checkout: Path
    programs: Path
    environment: dict[str, str] = field(default_factory=dict)

    def program(self, name: str, text: str = "exit 0") -> None:
        path = self.programs / name
        path.unlink(missing_ok=True)
        path.write_text(text if text.startswith("#!") else f"#!/bin/bash\n{text}\n")
        path.chmod(0o755)

    def without(self, *names: str) -> None:
        for name in names:
            (self.programs / name).unlink()

    def calls(self) -> list[str]:
        path = self.directory / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def start(self, *arguments: str, script: Path | None = None) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [str(script or self.checkout / "run"), *arguments],
            env=self.environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, script: Path | None = None) -> tuple[int, str, str]:
        process = self.start(*arguments, script=script)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err


def make_bench(tmp_path: Path) -> Bench:
    """Return a bench in an empty directory on which everything needed is installed."""
    checkout = tmp_path / "check out"
    shutil.copytree(CHECKOUT / "scripts", checkout / "scripts")
    for name in ("run", "test", "pyproject.toml"):
        shutil.copy2(CHECKOUT / name, checkout / name)
    script = checkout / "scripts" / "bootstrap.sh"
    text = script.read_text()
    for real in ("/usr/bin/python3", "/usr/include/numa.h"):
        # What lies at fixed places of this machine must not decide.
        assert real in text
        text = text.replace(real, str(tmp_path / Path(real).name))
    script.write_text(text)
    (tmp_path / "numa.h").touch()
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in BASICS:
        found = shutil.which(name)
        assert found
        (programs / name).symlink_to(found)
    bench = Bench(tmp_path, checkout, programs)
    bench.environment = {"PATH": str(programs), "LAB": str(tmp_path), "HOME": str(tmp_path)}
    (tmp_path / "version").write_text("3.12.1")
    bench.program("python3", PYTHON)
    bench.program("id", "echo 0")
    for name in TOOLS:
        bench.program(name)
    return bench
