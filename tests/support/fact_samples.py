"""What the fact probe prints on hosts we know, for tests of facts, checks, stages and screens."""

from kubert_tui.facts.model import Facts
from kubert_tui.facts.parse import parse
from kubert_tui.facts.sections import Sections, split

NONCE = "kubert-0123456789abcdef"
NOW = 1_795_000_000.0
"""Our clock when the probe is sent; it comes back two seconds later."""


def section(name: str, content: str | bytes = "", status: str = "0", subject: str = "") -> bytes:
    """Return one section as the probe prints it."""
    data = content.encode() if isinstance(content, str) else content
    head = f"\n{NONCE} begin {name} {subject or name}\n".encode()
    return head + data + f"\n{NONCE} end {status}\n".encode()


def probe_output(sample: dict[str, bytes]) -> bytes:
    """Return the whole output of a probe whose sections are `sample`."""
    return b"".join(sample.values())


def facts_of(sample: dict[str, bytes], host: str = "alpha") -> Facts:
    """Return the facts in a sample."""
    return parse(host, sections_of(sample), NOW, NOW + 2.0)


def sections_of(sample: dict[str, bytes]) -> Sections:
    """Return a sample as sections."""
    return split(probe_output(sample), NONCE, why_none="the probe did not get that far")


def changed(sample: dict[str, bytes], **changes: str | bytes) -> dict[str, bytes]:
    """Return `sample` with sections replaced; `_` in names stands for `-`."""
    new = dict(sample)
    for name, content in changes.items():
        new[name.replace("_", "-")] = section(name.replace("_", "-"), content)
    return new


def _sample(**sections: str | bytes | tuple[str | bytes, str]) -> dict[str, bytes]:
    result: dict[str, bytes] = {}
    for key, value in sections.items():
        name = key.replace("_", "-")
        content, status = value if isinstance(value, tuple) else (value, "0")
        result[name] = section(name, content, status)
    return result


def _topology(cpus: int, sockets: int, threads: int = 1) -> str:
    """As Intel's firmware numbers CPUs: all first threads, then all second ones."""
    lines: list[str] = []
    cores = cpus // sockets // threads
    for cpu in range(cpus):
        base = f"/cpu{cpu}/topology"
        core = cpu % (cores * sockets)
        siblings = ",".join(str(core + thread * cores * sockets) for thread in range(threads))
        lines += [
            f"{base}/physical_package_id:{core // cores}",
            f"{base}/core_id:{core % cores}",
            f"{base}/thread_siblings_list:{siblings}",
        ]
    return "\n".join(lines) + "\n"


def _meminfo(total_kb: int, swap_kb: int) -> str:
    return (
        f"MemTotal:       {total_kb} kB\nMemFree:        1000000 kB\n"
        f"MemAvailable:   {total_kb - 2_000_000} kB\nSwapTotal:      {swap_kb} kB\n"
    )


_RT_RELEASE = "5.10.2-200.rt20.1.fc33.ccrma.x86_64+rt"
_XEON_FLAGS = "fpu vme de pse tsc msr pae mce cx8 apic sep vmx smx est tm2 ssse3 fma"

HPE: dict[str, bytes] = _sample(
    clock_begin=f"{NOW + 0.5 + 0.25:.9f}\n",
    id="uid 0\nuser operator\n",
    operator_lock="result free\nboot b\nnow 5\n",
    hostname="alpha\n",
    machine_id="0123456789abcdef0123456789abcdef\n",
    os_release=(
        'NAME=Fedora\nVERSION="33 (Server Edition)"\nID=fedora\nVERSION_ID=33\n'
        'PRETTY_NAME="Fedora 33 (Server Edition)"\n'
    ),
    package_managers="dnf\n",
    uname_release=f"{_RT_RELEASE}\n",
    uname_version="#1 SMP PREEMPT_RT Thu Dec 24 01:20:35 EST 2020\n",
    uname_machine="x86_64\n",
    uname_all=f"Linux alpha {_RT_RELEASE} #1 SMP PREEMPT_RT Thu Dec 24 2020 x86_64 GNU/Linux\n",
    sys_realtime="1\n",
    kernel_config=(
        f"source /boot/config-{_RT_RELEASE}\nCONFIG_HIGH_RES_TIMERS=y\nCONFIG_PREEMPT_RT=y\n"
        "# CONFIG_RT_GROUP_SCHED is not set\nCONFIG_NO_HZ_FULL=y\n"
    ),
    boot_id="793f7a11-f478-4f9f-94eb-26bc5f34c43c\n",
    command_line=(
        f"BOOT_IMAGE=(hd0,gpt2)/vmlinuz-{_RT_RELEASE} root=/dev/mapper/fedora-root ro quiet "
        "isolcpus=managed_irq,domain,2-39 nohz_full=2-39 rcu_nocbs=2-39 irqaffinity=0-1\n"
    ),
    grubby=f"/boot/vmlinuz-{_RT_RELEASE}\n",
    grub_menu='set default="${saved_entry}"\nblscfg\n',
    grub_environment=f"saved_entry=0123456789abcdef0123456789abcdef-{_RT_RELEASE}\n",
    grub_one_shot=(
        "size 1024\nfile /boot/efi/EFI/fedora/grubenv\nmenu load_env\nmenu save_env next_entry\n"
        "mounted /dev/sda1 vfat rw,relatime,umask=0077\n"
    ),
    boot_entries="",
    kernels=(
        "0-rescue-0123456789abcdef0123456789abcdef unknown\n"
        f"5.8.15-301.fc33.x86_64 no\n{_RT_RELEASE} yes\n"
    ),
    secure_boot="variable  6 0 0 0 0 \n",
    dmi_vendor="HPE\n",
    dmi_product="ProLiant DL380 Gen10\n",
    bios_version="U30\n",
    bios_date="07/16/2020\n",
    processor=(
        "processor\t: 0\nvendor_id\t: GenuineIntel\n"
        "model name\t: Intel(R) Xeon(R) Gold 6242R CPU @ 3.10GHz\nmicrocode\t: 0x5002f01\n"
        f"flags\t\t: {_XEON_FLAGS}\n\n"
    ),
    cpu_present="0-39\n",
    cpu_online="0-39\n",
    cpu_isolated="2-39\n",
    cpu_nohz_full="2-39\n",
    smt_active="0\n",
    smt_control="notsupported\n",
    topology=_topology(40, 2),
    numa=(
        "/sys/devices/system/node/node0/cpulist:0-19\n"
        "/sys/devices/system/node/node1/cpulist:20-39\n"
    ),
    governors="performance\n",
    idle_states=(
        "/sys/devices/system/cpu/cpu0/cpuidle/state0/name:POLL\n"
        "/sys/devices/system/cpu/cpu0/cpuidle/state1/name:C1\n"
        "/sys/devices/system/cpu/cpu0/cpuidle/state2/name:C6\n"
        "/sys/devices/system/cpu/cpu0/cpuidle/state0/disable:0\n"
        "/sys/devices/system/cpu/cpu0/cpuidle/state1/disable:0\n"
        "/sys/devices/system/cpu/cpu0/cpuidle/state2/disable:1\n"
    ),
    meminfo=_meminfo(65_536_000, 0),
    hugepages=(
        "/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages:16\n"
        "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages:0\n"
    ),
    thp=("", "absent"),
    ksm="0\n",
    rt_period="1000000\n",
    rt_runtime="-1\n",
    timer_migration="0\n",
    ptrace_scope=("", "absent"),
    capabilities="CapEff:\t000001ffffffffff\n",
    rt_group_file="",
    processes="tuned\n",
    irqbalance="program /usr/sbin/irqbalance\nenabled disabled\nactive inactive\n",
    tuned_profile="realtime-virtual-host\n",
    init="systemd\n",
    cards=(
        "card eno1np0\ndriver bnxt_en\nspeed 10000\nmac 5c:ed:8c:00:00:01\nnode 0\n"
        "card eno2np1\ndriver bnxt_en\nspeed -1\nmac 5c:ed:8c:00:00:02\nnode 1\n"
        "card lo\ndriver \nspeed \nmac 00:00:00:00:00:00\n"
        "card virbr0\ndriver \nspeed -1\nmac 52:54:00:00:00:03\nnode \n"
    ),
    links=(
        "2: eno1np0: <BROADCAST,UP> mtu 1500 state UP \\    link/ether 5c:ed:8c:00:00:01\n"
        "3: eno2np1: <BROADCAST> mtu 1500 state DOWN \\    link/ether 5c:ed:8c:00:00:02\n"
        "4: virbr0: <UP> mtu 1500 \\    link/ether 52:54:00:00:00:03 \\    bridge stp_state 1\n"
    ),
    routes="default via 192.168.11.1 dev eno1np0 proto dhcp metric 100\n",
    carrier="ssh 192.168.11.2 50000 192.168.11.11 22\nback 192.168.11.2 dev eno1np0 src x\n",
    network_managers="NetworkManager 2\nNetworkManager 3\n",
    bridge_trials="",
    addresses=(
        "1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever\n"
        "2: eno1np0    inet 192.168.11.11/24 brd 192.168.11.255 scope global eno1np0\\  x\n"
        "2: eno1np0    inet6 fe80::5eed:8cff:fe00:1/64 scope link \\  x\n"
        "4: virbr0    inet 192.168.122.1/24 brd 192.168.122.255 scope global virbr0\\  x\n"
    ),
    disks=(
        "Filesystem              1024-blocks     Used Available Capacity Mounted on\n"
        "/dev/mapper/fedora-root    52403200  4000000  48403200       8% /\n"
        "/dev/sda2                   1038336   300000    738336      29% /boot\n"
        "/dev/mapper/fedora-root    52403200  4000000  48403200       8% /\n"
    ),
    kvm="module kvm\nmodule kvm_intel\ndevice opens\n",
    libvirt_service=(
        "version libvirtd (libvirt) 6.6.0\ndriver\nprocess libvirtd\n"
        "groups operator wheel libvirt\nprogram nc\nprogram qemu-img\nprogram dnsmasq\n"
        "program virsh\nnested Y\nunit libvirtd.service active enabled\n"
        "unit libvirtd.socket active enabled\nunit virtqemud.socket inactive disabled\n"
    ),
    kvm_boot=(
        '{"boots": true, "told": "the kernel came up", "at": 71.5,'
        ' "kernel": "/boot/vmlinuz-5.10.2-200.rt20.1.fc33.ccrma.x86_64+rt",'
        ' "boot": "793f7a11-f478-4f9f-94eb-26bc5f34c43c",'
        ' "qemu": "QEMU emulator version 5.1.0 (qemu-5.1.0-5.fc33)"}\n'
    ),
    detect_virt=("none\n", "1"),
    containers="",
    python="Python 3.9.0\n",
    tracing="place /sys/kernel/tracing\nnodev\ttracefs\ntracers hwlat blk function nop\n"
    "current nop\nevents \n",
    rtla=("", "missing"),
    libvirt="6.6.0\n",
    qemu="QEMU emulator version 5.1.0 (qemu-5.1.0-5.fc33)\nCopyright (c) 2003-2020\n",
    vagrant="/usr/bin/vagrant\n",
    stress_ng=("", "127"),
    hackbench="/usr/local/bin/hackbench\n",
    ansible=("", "127"),
    updates=("manager dnf\n", "0"),
    clock_end=f"{NOW + 1.5 + 0.25:.9f}\n",
) | {
    "cyclictest-1": section(
        "cyclictest-1",
        "cyclictest V 1.00\nUsage:\n --nanosleep\n",
        subject="/usr/local/bin/cyclictest",
    ),
}
"""An HPE DL380 Gen10 as the README has it, finished: Fedora 33 with CCRMA's PREEMPT_RT kernel.

Its clock is 0.25 s ahead of ours, known to 0.5 s."""

_GRUB_CFG = """\
   set default="${next_entry}"
   set default="0"
function gfxmode {
}
menuentry 'Debian GNU/Linux' --class debian $menuentry_id_option 'gnulinux-simple-5e1f' {
\tlinux\t/boot/vmlinuz-6.1.0-49-amd64 root=UUID=5e1f ro  quiet
}
submenu 'Advanced options for Debian GNU/Linux' $menuentry_id_option 'gnulinux-advanced-5e1f' {
\tmenuentry 'Debian GNU/Linux, with Linux 6.1.0-49-rt-amd64' --class debian \
$menuentry_id_option 'gnulinux-6.1.0-49-rt-amd64-advanced-5e1f' {
\t\tlinux\t/boot/vmlinuz-6.1.0-49-rt-amd64 root=UUID=5e1f ro  quiet
\t}
\tmenuentry 'Debian GNU/Linux, with Linux 6.1.0-49-amd64' --class debian \
$menuentry_id_option 'gnulinux-6.1.0-49-amd64-advanced-5e1f' {
\t\tlinux\t/boot/vmlinuz-6.1.0-49-amd64 root=UUID=5e1f ro  quiet
\t}
}
"""

DEBIAN: dict[str, bytes] = _sample(
    clock_begin=f"{NOW + 0.9:.9f}\n",
    id="uid 0\nuser root\n",
    operator_lock="result free\nboot b\nnow 5\n",
    hostname="beta\n",
    machine_id="fedcba9876543210fedcba9876543210\n",
    os_release=(
        'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\n'
        'VERSION_ID="12"\nVERSION="12 (bookworm)"\nID=debian\n'
    ),
    package_managers="apt-get\n",
    uname_release="6.1.0-49-amd64\n",
    uname_version="#1 SMP PREEMPT_DYNAMIC Debian 6.1.187-1 (2026-08-01)\n",
    uname_machine="x86_64\n",
    uname_all="Linux beta 6.1.0-49-amd64 #1 SMP PREEMPT_DYNAMIC Debian 6.1.187-1 x86_64\n",
    sys_realtime=("", "absent"),
    kernel_config=(
        "source /boot/config-6.1.0-49-amd64\nCONFIG_PREEMPT_VOLUNTARY=y\n"
        "# CONFIG_PREEMPT_RT is not set\n# CONFIG_RT_GROUP_SCHED is not set\n"
    ),
    boot_id="11111111-2222-3333-4444-555555555555\n",
    command_line="BOOT_IMAGE=/boot/vmlinuz-6.1.0-49-amd64 root=UUID=5e1f ro quiet\n",
    grubby=("", "missing"),
    grub_menu=_GRUB_CFG,
    grub_environment=("", "1"),
    grub_one_shot=(
        "size 1024\nfile /boot/grub/grubenv\nmenu load_env\nmenu save_env next_entry\n"
        "mounted /dev/sda2 ext4 rw,relatime,errors=remount-ro\n"
    ),
    boot_entries="",
    kernels="6.1.0-49-amd64 no\n",
    secure_boot="variable  6 0 0 0 1 \n",
    dmi_vendor="Dell Inc.\n",
    dmi_product="PowerEdge R640\n",
    bios_version="2.19.1\n",
    bios_date="06/04/2023\n",
    processor=(
        "processor\t: 0\nmodel name\t: Intel(R) Xeon(R) Silver 4208 CPU @ 2.10GHz\n"
        f"microcode\t: 0x5003604\nflags\t\t: {_XEON_FLAGS}\n\n"
    ),
    cpu_present="0-31\n",
    cpu_online="0-31\n",
    cpu_isolated="\n",
    cpu_nohz_full="  (null)\n",
    smt_active="1\n",
    smt_control="on\n",
    topology=_topology(32, 2, threads=2),
    numa="/sys/devices/system/node/node0/cpulist:0-31\n",
    governors="powersave\nschedutil\n",
    idle_states=(
        "/sys/devices/system/cpu/cpu0/cpuidle/state0/name:POLL\n"
        "/sys/devices/system/cpu/cpu0/cpuidle/state1/name:C1E\n"
        "/sys/devices/system/cpu/cpu0/cpuidle/state2/name:C6\n"
    ),
    meminfo=_meminfo(32_768_000, 1_000_444),
    hugepages="/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages:0\n",
    thp="always [madvise] never\n",
    ksm="1\n",
    rt_period="1000000\n",
    rt_runtime="950000\n",
    timer_migration="1\n",
    ptrace_scope="1\n",
    capabilities="CapEff:\t0000000000000000\n",
    rt_group_file="",
    processes="irqbalance\n",
    irqbalance="program /usr/sbin/irqbalance\nenabled enabled\nactive active\n",
    tuned_profile=("", "absent"),
    init="systemd\n",
    cards="card eno1\ndriver tg3\nspeed 1000\nmac b0:7b:25:00:00:01\nnode -1\n",
    addresses="2: eno1    inet 192.168.11.12/24 brd 192.168.11.255 scope global eno1\\  x\n",
    disks=(
        "Filesystem     1024-blocks    Used Available Capacity Mounted on\n"
        "/dev/sda2         28703652 2000000   5000000      29% /\n"
    ),
    kvm="module kvm\nmodule kvm_intel\ndevice opens\n",
    libvirt_service="groups root\nprogram nc\nnested N\n",
    kvm_boot=("", "absent"),
    detect_virt=("none\n", "1"),
    containers="",
    python="Python 3.11.2\n",
    tracing="place none\nnodev\ttracefs\n",
    rtla=("", "missing"),
    libvirt=("", "missing"),
    qemu=("", "127"),
    vagrant=("", "127"),
    stress_ng="/usr/bin/stress-ng\n",
    hackbench="/usr/bin/hackbench\n",
    ansible=("", "127"),
    updates="manager apt\nInst base-files [12.4+deb12u11] (12.4+deb12u15 Debian)\n"
    "Inst bash [5.2.15-2+b8] (5.2.15-2+b13 Debian)\nlists present\n",
    clock_end=f"{NOW + 1.1:.9f}\n",
)
"""A Dell with Debian 12 as it comes from the installer: nothing done yet."""
