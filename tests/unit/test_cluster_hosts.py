"""What the hosts of cluster tests are made with: programs built once, images, runc's wrapper."""

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from threading import Event

import pytest

from kubert_tui.base.errors import KubertError
from kubert_tui.practice.model import Order
from kubert_tui.practice.pace import Pace
from tests.support.kubernetes import binaries
from tests.support.kubernetes.archive import Image, resolved, with_libraries, write_archive

WRAPPER = binaries.HERE / "files" / "runc.py"


def pace() -> Pace:
    return Pace(Order(lambda progress: None, Event()), ())


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache, and a build that says `built` in a file of its own each time."""
    here = tmp_path / "recipe"
    (here / "go").mkdir(parents=True)
    script = 'printf "== compiling\\n"; mkdir "$3"; echo v1.2.3 >"$3/version"; echo >>"$2/../built"'
    (here / "build.sh").write_text(script)
    monkeypatch.setattr(binaries, "HERE", here)
    (tmp_path / "cache").mkdir()
    return tmp_path / "cache"


def built(cache: Path) -> int:
    return len((cache.parent / "recipe" / "built").read_text())


def test_programs_are_built_once(cache: Path, tmp_path: Path) -> None:
    first = binaries.ensure(cache, tmp_path / "log", pace())
    assert (first / "version").read_text() == "v1.2.3\n"
    assert binaries.ensure(cache, tmp_path / "log", pace()) == first
    assert built(cache) == 1
    assert {path.name for path in cache.iterdir()} <= {first.name, ".kubernetes.lock"}


def test_another_recipe_is_another_build(cache: Path, tmp_path: Path) -> None:
    first = binaries.ensure(cache, tmp_path / "log", pace())
    (cache.parent / "recipe" / "go" / "pause.go").write_text("package main\n")
    assert binaries.ensure(cache, tmp_path / "log", pace()) != first


def test_a_build_that_was_killed_starts_over(cache: Path, tmp_path: Path) -> None:
    left = cache / ".building-kubernetes-0123456789abcdef"
    (left / "out").mkdir(parents=True)
    target = binaries.ensure(cache, tmp_path / "log", pace())
    assert target.is_dir()
    assert not left.exists()


def test_a_build_that_fails_leaves_nothing_and_says_why(cache: Path, tmp_path: Path) -> None:
    (cache.parent / "recipe" / "build.sh").write_text(
        'mkdir "$3"; echo "E: Failed to fetch it"; exit 1'
    )
    with pytest.raises(KubertError) as raised:
        binaries.ensure(cache, tmp_path / "log", pace())
    assert "Failed to fetch" in raised.value.details
    assert not [path for path in cache.iterdir() if path.is_dir()]


def test_an_image_is_one_layer_with_names(tmp_path: Path) -> None:
    (tmp_path / "program").write_text("#!/bin/sh\n")
    (tmp_path / "program").chmod(0o755)
    image = Image(
        ("one.example/it:1", "two.example/it:1"), {"/usr/bin/it": tmp_path / "program"},
        {"/etc/it": "text"}, {"/bin/it": "../usr/bin/it"}, ("/usr/bin/it",),
    )  # fmt: skip
    write_archive(image, tmp_path / "image.tar", "x86_64")
    with tarfile.open(tmp_path / "image.tar") as archive:
        files = {one.name: archive.extractfile(one) for one in archive.getmembers()}
        contents = {name: file.read() for name, file in files.items() if file}
    (manifest,) = json.loads(contents["manifest.json"])
    assert manifest["RepoTags"] == ["one.example/it:1", "two.example/it:1"]
    configuration = json.loads(contents[manifest["Config"]])
    assert configuration["architecture"] == "amd64"
    assert configuration["config"]["Entrypoint"] == ["/usr/bin/it"]
    with tarfile.open(fileobj=io.BytesIO(contents["layer.tar"])) as layer:
        assert layer.getmember("usr/bin/it").mode == 0o755
        assert layer.getmember("bin/it").linkname == "../usr/bin/it"
        assert layer.getmember("tmp").mode == 0o1777


def test_libraries_are_found_through_links_of_the_root(tmp_path: Path) -> None:
    (tmp_path / "usr/lib").mkdir(parents=True)
    (tmp_path / "lib").symlink_to("usr/lib")
    (tmp_path / "usr/lib/libit.so.1.2").write_text("")
    (tmp_path / "usr/lib/libit.so.1").symlink_to("/lib/libit.so.1.2")
    assert resolved(tmp_path, "/lib/libit.so.1") == "/usr/lib/libit.so.1.2"
    told = "/usr/bin/it:\n\tlibit.so.1 => /lib/libit.so.1 (0x7f)\n\tlinux-vdso.so.1 (0x7f)\n"
    found = with_libraries(tmp_path, (), told)
    assert found["/lib/libit.so.1"] == tmp_path / "usr/lib/libit.so.1.2"


def wrapped(
    tmp_path: Path, configuration: dict[str, object], *, capable: bool, budget: str = ""
) -> dict[str, object]:
    """Return a container's configuration as the real runc would see it."""
    (tmp_path / "config.json").write_text(json.dumps(configuration))
    cpu = tmp_path / "cpu"
    cpu.mkdir()
    if budget:
        (cpu / "cpu.rt_runtime_us").write_text(budget)
    program = WRAPPER.read_text()
    program = program.replace('RUNC = "/usr/sbin/runc"', 'RUNC = "/bin/true"')
    program = program.replace('Path("/sys/fs/cgroup/cpu")', f"Path({str(cpu)!r})")
    program = program.replace("if not may_raise_limits()", f"if not {capable}")
    subprocess.run(
        [sys.executable, "-c", program, "--root", "/run", "create", "--bundle", str(tmp_path), "x"],
        check=True, env=os.environ,
    )  # fmt: skip
    found: dict[str, object] = json.loads((tmp_path / "config.json").read_text())
    return found


def container(*capabilities: str, group: str = "/kubepods/podx/it") -> dict[str, object]:
    return {
        "process": {"capabilities": {"bounding": list(capabilities)}, "oomScoreAdj": -998},
        "linux": {"cgroupsPath": group},
    }


def test_what_this_computer_withholds_is_not_asked_for(tmp_path: Path) -> None:
    seen = wrapped(tmp_path, container("CAP_SYS_RESOURCE", "CAP_CHOWN"), capable=False)
    assert seen["process"] == {"capabilities": {"bounding": ["CAP_CHOWN"]}, "oomScoreAdj": 0}


def test_where_nothing_is_withheld_nothing_is_changed(tmp_path: Path) -> None:
    asked = container("CAP_SYS_RESOURCE", "CAP_SYS_NICE")
    assert wrapped(tmp_path, asked, capable=True) == asked


@pytest.mark.parametrize(
    ("group", "pod"),
    [
        ("/kubepods/podx/it", "kubepods/podx"),
        ("kubepods-podx.slice:cri-containerd:it", "kubepods.slice/kubepods-podx.slice"),
    ],
)
def test_who_may_be_real_time_gets_a_budget(tmp_path: Path, group: str, pod: str) -> None:
    top = tmp_path / "cpu" / Path(pod).parts[0]
    asked = container("CAP_SYS_NICE", group=group)
    # Cgroups have their files from the start; here only the machine's own does.
    seen = wrapped(tmp_path, asked, capable=True, budget="400000")
    assert seen["linux"] == {
        "cgroupsPath": group,
        "resources": {"cpu": {"realtimeRuntime": 45_000, "realtimePeriod": 1_000_000}},
    }
    assert top.is_dir()
    assert (tmp_path / "cpu" / pod).is_dir()
