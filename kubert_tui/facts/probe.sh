# What the fact probe looks at, in order. See probe_frame.sh for the form of its output.

look() {
    collect id identity identity
    collect operator-lock "kubert-tui's lock" operator_lock
    try hostname 5 uname -n
    show machine-id /etc/machine-id
    if [ -e /etc/os-release ]; then
        show os-release /etc/os-release
    else
        show os-release /usr/lib/os-release
    fi
    collect package-managers package-managers package_managers

    try uname-release 5 uname -r
    try uname-version 5 uname -v
    try uname-machine 5 uname -m
    try uname-all 5 uname -a
    show sys-realtime /sys/kernel/realtime
    collect kernel-config 'the kernel configuration' kernel_config
    show boot-id /proc/sys/kernel/random/boot_id
    show command-line /proc/cmdline
    try grubby 10 grubby --default-kernel
    collect grub-menu /boot/grub/grub.cfg grub_menu
    collect grub-environment /boot/grub/grubenv grub_environment
    collect grub-one-shot /boot/grub grub_one_shot
    collect boot-entries /boot/loader/entries boot_entries
    collect kernels /boot kernels
    collect secure-boot 'the SecureBoot variable' secure_boot

    show dmi-vendor /sys/class/dmi/id/sys_vendor
    show dmi-product /sys/class/dmi/id/product_name
    show bios-version /sys/class/dmi/id/bios_version
    show bios-date /sys/class/dmi/id/bios_date

    collect processor /proc/cpuinfo processor
    show cpu-present /sys/devices/system/cpu/present
    show cpu-online /sys/devices/system/cpu/online
    show cpu-isolated /sys/devices/system/cpu/isolated
    show cpu-nohz-full /sys/devices/system/cpu/nohz_full
    show smt-active /sys/devices/system/cpu/smt/active
    show smt-control /sys/devices/system/cpu/smt/control
    collect topology /sys/devices/system/cpu topology
    collect numa /sys/devices/system/node numa
    collect governors scaling_governor governors
    collect idle-states cpuidle idle_states

    show meminfo /proc/meminfo
    collect hugepages /sys/kernel/mm/hugepages hugepages
    show thp /sys/kernel/mm/transparent_hugepage/enabled
    show ksm /sys/kernel/mm/ksm/run

    show rt-period /proc/sys/kernel/sched_rt_period_us
    show rt-runtime /proc/sys/kernel/sched_rt_runtime_us
    show timer-migration /proc/sys/kernel/timer_migration
    collect rt-group-file /sys/fs/cgroup rt_group_file
    collect processes /proc processes
    collect irqbalance irqbalance irqbalance_state
    show tuned-profile /etc/tuned/active_profile
    show init /proc/1/comm

    show ptrace-scope /proc/sys/kernel/yama/ptrace_scope
    try capabilities 5 grep CapEff /proc/self/status
    collect tracing tracefs tracing
    # An old one knows no --version and says it with its usage.
    try rtla 5 rtla --version

    collect cards /sys/class/net cards
    try addresses 5 ip -o addr show
    try links 5 ip -o -d link show
    try routes 5 ip route show default
    collect carrier SSH_CONNECTION carrier
    collect network-managers 'the network services' network_managers
    collect bridge-trials /run/kubert-tui/bridge bridge_trials
    try disks 10 df -P -k / /boot /var /home /tmp
    collect kvm /dev/kvm kvm_state
    collect libvirt-service libvirt libvirt_service
    # What machines/prove_kvm.py has found in this boot.
    show kvm-boot /run/kubert-tui/kvm
    try detect-virt 5 systemd-detect-virt
    collect containers containers containers

    cyclictests "$@"
    # Imports what Ansible needs: Debian's python3-minimal has no more than the interpreter.
    try python 5 python3 -c 'import json, shutil, sys, zipfile; print("Python", sys.version.split()[0])'
    try libvirt 5 virsh --version
    collect qemu qemu qemu_version
    # Where they are, not which: asking them would start them in earnest, and they write files.
    collect vagrant vagrant vagrant_place
    collect ansible ansible ansible_place
    collect stress-ng stress-ng stress_ng_place
    collect hackbench hackbench hackbench_place "$@"
}

# In braces, so that a script that arrived cut off does nothing. The slow section runs beside the
# others and is printed after them; the clock is read at both ends, so its duration does not count.
{
    try clock-begin 5 date +%s.%N
    { [ -z "$updates" ] || collect updates 'the package manager' updates; } |
        {
            look "$@" </dev/null
            cat
        }
    try clock-end 5 date +%s.%N
    begin end end
    end 0
} </dev/null
