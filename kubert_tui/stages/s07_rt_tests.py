"""Stage 7: rt-tests, and with it cyclictest."""

from kubert_tui.checks import host, tools
from kubert_tui.stages.model import Guide, Stage
from kubert_tui.stages.rt_tests_change import RtTestsChange

STAGE = Stage(
    id="rt-tests",
    title="Build rt-tests",
    guide=Guide(
        what="Gets the source of rt-tests on this computer, verifies it, and builds and installs "
        "it on every host. Where the lab file allows no packages, this computer's own is built "
        "into kubert-tui's cache instead and nothing is installed.",
        why="cyclictest, the measurement of the next stage, is part of it; and the same version "
        "on every host makes their figures comparable.",
        readme="sudo dnf install numactl numactl-devel git \\\n"
        "make automake cmake gcc g++ kernel-devel\n"
        "git clone --recursive https://github.com/jpnorenam/kubert.git\n"
        "cd kubert/rt-tests\n"
        "git checkout stable/v1.0\n"
        "make all\n"
        "sudo make install",
        ours="gcc, make and the numactl headers from the distribution; the source archive copied "
        "from here; make and make install with prefix /usr/local. Or, if no source can be had, "
        "the distribution's package: realtime-tests (Fedora), rt-tests (Debian). stress-ng, too, "
        "if the lab's cyclictest.load needs it",
        differs="The clone needs a GitHub key for one of its submodules and goes over "
        "unauthenticated git:// for the other; automake, cmake, g++ and kernel-devel are not "
        "needed. v1.0 does not build with glibc 2.41 and later, so a current release is the "
        "default; rt_tests.version in the lab file chooses 1.0 or stable/v1.0.",
    ),
    checks=(tools.CYCLICTEST, tools.LOAD, host.DISTRIBUTION, host.DISK),
    goals=frozenset({tools.CYCLICTEST.id, tools.LOAD.id}),
    change=RtTestsChange(),
)
