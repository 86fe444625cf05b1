# Readers of the fact probe: functions that print what several files or commands say together.

release=$(uname -r 2>/dev/null)

identity() {
    printf 'uid %s\nuser %s\n' "$(id -u)" "${SUDO_USER:-$(id -un)}"
}

package_managers() {
    for program in dnf apt-get; do
        command -v "$program" >/dev/null 2>&1 && echo "$program"
    done
    return 0
}

# The first kernel configuration of the running kernel that can be read: what matters of it.
kernel_config() {
    wanted='^(# )?CONFIG_(PREEMPT|RT_GROUP_SCHED|NO_HZ_FULL|HIGH_RES|HWLAT_TRACER|TIMERLAT_TRACER)'
    for config in "/boot/config-$release" "/lib/modules/$release/config"; do
        if [ -r "$config" ]; then
            echo "source $config"
            grep -E "$wanted" "$config"
            return 0
        fi
    done
    if [ -r /proc/config.gz ]; then
        echo "source /proc/config.gz"
        gzip -dc /proc/config.gz | grep -E "$wanted"
        return 0
    fi
    return 1
}

# `RELEASE yes|no|unknown` for each installed kernel: whether its configuration says PREEMPT_RT;
# `incomplete` when it lacks an initramfs.
kernels() {
    if [ -d /boot ] && [ ! -r /boot ]; then
        return 13
    fi
    for image in /boot/vmlinuz-* /boot/vmlinux-*; do
        [ -e "$image" ] || continue
        installed=${image#/boot/vmlinu[xz]-}
        answer=unknown
        for config in "/boot/config-$installed" "/lib/modules/$installed/config"; do
            if [ -r "$config" ]; then
                answer=no
                grep -qE '^CONFIG_PREEMPT_RT(_FULL)?=y' "$config" && answer=yes
                break
            fi
        done
        # An installation that broke off leaves a kernel without an initramfs: it cannot boot.
        for image in "/boot/initrd.img-$installed" "/boot/initramfs-$installed.img" \
            "/boot/initrd-$installed" none; do
            [ -s "$image" ] && break
        done
        [ "$image" != none ] || answer=incomplete
        printf '%s %s\n' "$installed" "$answer"
    done
}

# The structure of grub.cfg: defaults, menu entries, submenus, kernels, closing braces.
grub_menu() {
    for config in /boot/grub/grub.cfg /boot/grub2/grub.cfg; do
        hidden "$config" && return 13
        [ -e "$config" ] || continue
        [ -r "$config" ] || return 13
        grep -E '^[[:space:]]*(set default=|menuentry |submenu |function |linux(16|efi)?[[:space:]]|blscfg|\})' "$config"
        return 0
    done
    return 2
}

grub_environment() {
    for environment in /boot/grub/grubenv /boot/grub2/grubenv; do
        hidden "$environment" && return 13
        [ -e "$environment" ] || continue
        [ -r "$environment" ] || return 13
        grep -aE '^[a-z_]+=' "$environment"
        return 0
    done
    return 2
}

# What decides whether GRUB can boot an entry just once: it forgets it by writing to this file.
# (GRUB's own grub-probe knows better, and takes seconds on a slow host.)
grub_one_shot() {
    for menu in /boot/grub/grub.cfg /boot/grub2/grub.cfg; do
        hidden "$menu" && return 13
        [ -e "$menu" ] || continue
        [ -r "$menu" ] || return 13
        environment=$(readlink -f "${menu%/*}/grubenv")
        if [ -e "$environment" ]; then
            printf 'size %s\n' "$(wc -c <"$environment")"
        else
            environment=${menu%/*}
        fi
        printf 'file %s\n' "$environment"
        grep -oE 'load_env|save_env next_entry' "$menu" | sort -u | sed 's/^/menu /'
        printf 'mounted %s\n' "$($limited findmnt -n -r -o SOURCE,FSTYPE,OPTIONS -T "$environment" 2>&1)"
        return 0
    done
    return 2
}

# Boot Loader Specification entries, as Fedora has them: `FILE:key value`.
boot_entries() {
    grep -E '^(title|version|linux) ' /dev/null /boot/loader/entries/*.conf 2>/dev/null
    return 0
}

secure_boot() {
    if [ ! -d /sys/firmware/efi ]; then
        echo 'no efi'
        return 0
    fi
    variable=/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c
    if [ -r "$variable" ]; then
        # Four bytes of attributes, then the value.
        echo "variable $(od -An -tu1 "$variable" | tr -s ' \n' ' ')"
    elif command -v mokutil >/dev/null 2>&1; then
        mokutil --sb-state
    else
        return 1
    fi
}

# Shortened, so that hosts with thousands of CPUs fit into a section.
topology() {
    each /sys/devices/system/cpu/cpu[0-9]*/topology/physical_package_id \
        /sys/devices/system/cpu/cpu[0-9]*/topology/die_id \
        /sys/devices/system/cpu/cpu[0-9]*/topology/core_id \
        /sys/devices/system/cpu/cpu[0-9]*/topology/thread_siblings_list |
        sed 's|^/sys/devices/system/cpu||'
}

# The first processor is enough: model, flags and microcode are read from it.
processor() { sed -n '1,/^[[:space:]]*$/p' /proc/cpuinfo; }
numa() { each /sys/devices/system/node/node[0-9]*/cpulist; }
governors() { cat /sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor 2>/dev/null | sort -u; }
idle_states() {
    each /sys/devices/system/cpu/cpu0/cpuidle/state[0-9]*/name \
        /sys/devices/system/cpu/cpu0/cpuidle/state[0-9]*/disable
}
hugepages() { each /sys/kernel/mm/hugepages/hugepages-*/nr_hugepages; }

rt_group_file() {
    for file in /sys/fs/cgroup/cpu/cpu.rt_runtime_us /sys/fs/cgroup/cpu,cpuacct/cpu.rt_runtime_us; do
        [ -e "$file" ] && echo "$file"
    done
    return 0
}

# Names of the processes that matter, by /proc/PID/comm: needs no ps and no pgrep.
processes() {
    cat /proc/[0-9]*/comm 2>/dev/null | grep -xE 'irqbalance|tuned|libvirtd|virtqemud' | sort -u
    return 0
}

irqbalance_state() {
    printf 'program %s\n' "$(command -v irqbalance 2>/dev/null)"
    if command -v systemctl >/dev/null 2>&1; then
        printf 'enabled %s\n' "$($limited systemctl is-enabled irqbalance.service 2>&1 | tail -n 1)"
        printf 'active %s\n' "$($limited systemctl is-active irqbalance.service 2>&1 | tail -n 1)"
    fi
    for script in /etc/init.d/irqbalance; do
        [ -e "$script" ] && echo "script $script"
    done
    for link in /etc/rc[2-5].d/S*irqbalance; do
        [ -e "$link" ] && echo "link $link"
    done
    return 0
}

cards() {
    for card in /sys/class/net/*; do
        [ -e "$card/address" ] || continue
        driver=$(readlink "$card/device/driver" 2>/dev/null)
        printf 'card %s\ndriver %s\n' "${card##*/}" "${driver##*/}"
        printf 'speed %s\nmac %s\n' "$(cat "$card/speed" 2>/dev/null)" "$(cat "$card/address" 2>/dev/null)"
        printf 'node %s\n' "$(cat "$card/device/numa_node" 2>/dev/null)"
    done
    return 0
}

# How we come, as sshd told the session. sudo takes it out of the environment: look further up.
carrier() {
    process=$$
    while [ "${process:-0}" -gt 1 ]; do
        told=$(tr '\0' '\n' <"/proc/$process/environ" 2>/dev/null | sed -n 's/^SSH_CONNECTION=//p')
        [ -z "$told" ] || break
        process=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$process/status" 2>/dev/null)
    done
    [ -n "$told" ] || return 0
    echo "ssh $told"
    case $told in [0-9a-fA-F]*) echo "back $($limited ip -o route get "${told%% *}" 2>/dev/null)" ;; esac
}

# `SERVICE INDEX` or `ifupdown NAME` for each interface that a service looks after.
network_managers() {
    for device in /run/NetworkManager/devices/*; do
        grep -qs '^managed=true' "$device" && echo "NetworkManager ${device##*/}"
    done
    for link in /run/systemd/netif/links/*; do
        [ -r "$link" ] && ! grep -qx ADMIN_STATE=unmanaged "$link" && echo "systemd-networkd ${link##*/}"
    done
    cat /etc/network/interfaces /etc/network/interfaces.d/* 2>/dev/null |
        while read -r word name _; do
            [ "$word" = iface ] && echo "ifupdown $name"
        done
    return 0
}

bridge_trials() {
    for phase in /run/kubert-tui/bridge/*/phase; do
        [ -r "$phase" ] || continue
        bridge=${phase%/phase}
        printf '%s %s\n' "${bridge##*/}" "$(cat "$phase")"
    done
    return 0
}

kvm_state() {
    [ -d /sys/module/kvm ] && echo 'module kvm'
    [ -d /sys/module/kvm_intel ] && echo 'module kvm_intel'
    [ -d /sys/module/kvm_amd ] && echo 'module kvm_amd'
    if [ ! -e /dev/kvm ]; then
        echo 'device absent'
    elif (: <>/dev/kvm) 2>/dev/null; then
        echo 'device opens'
    else
        echo 'device refused'
    fi
}

# Asked for its version a daemon does not start.
libvirt_service() {
    for program in libvirtd virtqemud; do
        command -v "$program" >/dev/null 2>&1 || continue
        printf 'version %s\n' "$($limited "$program" --version 2>&1 | head -n 1)"
    done
    for driver in /usr/lib*/libvirt/connection-driver/libvirt_driver_qemu.so \
        /usr/lib/*/libvirt/connection-driver/libvirt_driver_qemu.so; do
        [ -e "$driver" ] && echo driver && break
    done
    cat /proc/[0-9]*/comm 2>/dev/null | grep -xE 'libvirtd|virt(qemu|network|storage|proxy)d' |
        sort -u | sed 's/^/process /'
    printf 'groups %s\n' "$(id -nG "${SUDO_USER:-$(id -un)}" 2>/dev/null)"
    for program in nc virt-ssh-helper qemu-img dnsmasq virsh virt-install vagrant; do
        command -v "$program" >/dev/null 2>&1 && echo "program $program"
    done
    printf 'nested %s\n' "$(cat /sys/module/kvm_intel/parameters/nested \
        /sys/module/kvm_amd/parameters/nested 2>/dev/null | head -n 1)"
    command -v systemctl >/dev/null 2>&1 || return 0
    for daemon in libvirtd virtqemud virtnetworkd virtstoraged virtproxyd; do
        for unit in "$daemon.service" "$daemon.socket"; do
            for place in /etc /run /usr/lib /lib; do
                [ -e "$place/systemd/system/$unit" ] || continue
                printf 'unit %s %s %s\n' "$unit" \
                    "$($limited systemctl is-active "$unit" 2>/dev/null | tail -n 1)" \
                    "$($limited systemctl is-enabled "$unit" 2>/dev/null | tail -n 1)"
                break
            done
        done
    done
}

containers() {
    [ -e /.dockerenv ] && echo docker
    [ -e /run/.containerenv ] && echo podman
    [ -r /run/systemd/container ] && cat /run/systemd/container
    return 0
}

# Package updates that the caches already here know of. apt uses its index if that is current;
# as root it would also write a new one and a log, so it runs as nobody, or else in memory.
updates() {
    if command -v dnf >/dev/null 2>&1; then
        echo 'manager dnf'
        # Not -q: that would hide that there is no metadata to ask, and then nothing waits.
        ${limiter:+$limiter 15} dnf -C check-update
    elif command -v apt-get >/dev/null 2>&1; then
        echo 'manager apt'
        nobody='setpriv --reuid=65534 --regid=65534 --clear-groups'
        if $nobody true >/dev/null 2>&1; then
            set -- $nobody apt-get
        else
            set -- apt-get -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
                -o Dir::Log::Planner=/dev/null
        fi
        simulated=$(${limiter:+$limiter 30} "$@" -s -q -o Debug::NoLocking=true upgrade 2>&1)
        result=$?
        printf '%s\n' "$simulated" | grep -E '^(Inst |Conf |E: )'
        for list in /var/lib/apt/lists/*_Packages*; do
            [ -e "$list" ] && echo 'lists present' && break
        done
        # What dpkg has begun and not ended: it is at work, or was interrupted.
        for journal in /var/lib/dpkg/updates/*; do
            [ -e "$journal" ] && echo unfinished && break
        done
        return "$result"
    else
        echo 'manager none'
    fi
}

# Each cyclictest once, whatever it is linked as: those named to us first.
cyclictests() {
    seen=' '
    number=0
    for candidate in "$@" /usr/local/bin/cyclictest /usr/bin/cyclictest "$(command -v cyclictest 2>/dev/null)"; do
        case $candidate in /*) ;; *) continue ;; esac
        [ -f "$candidate" ] && [ -x "$candidate" ] || continue
        real=$(readlink -f "$candidate" 2>/dev/null)
        case $seen in *" ${real:=$candidate} "*) continue ;; esac
        seen="$seen$real "
        number=$((number + 1))
        begin "cyclictest-$number" "$candidate"
        bounded ${limiter:+$limiter 5} "$candidate" --help
        end "$status"
    done
}

# Which tracers the kernel has, and whether somebody traces. Where tracefs is not mounted, the
# kernel's configuration tells; mounting it is left to those who need it.
tracing() {
    for place in /sys/kernel/tracing /sys/kernel/debug/tracing none; do
        [ -e "$place/current_tracer" ] && break
    done
    printf 'place %s\n' "$place"
    grep -w tracefs /proc/filesystems
    [ "$place" != none ] || return 0
    printf 'tracers %s\n' "$(cat "$place/available_tracers")"
    printf 'current %s\n' "$(cat "$place/current_tracer")"
    printf 'events %s\n' "$(head -n 3 "$place/set_event" | tr '\n' ' ')"
}

vagrant_place() { command -v vagrant || return 127; }
ansible_place() { command -v ansible || return 127; }
stress_ng_place() { command -v stress-ng || return 127; }

# It is built together with cyclictest: beside those that were named to us, then wherever it is.
hackbench_place() {
    for candidate in "$@" /usr/local/bin/cyclictest; do
        candidate=${candidate%/*}/hackbench
        [ -f "$candidate" ] && [ -x "$candidate" ] && echo "$candidate" && return 0
    done
    command -v hackbench || return 127
}

qemu_version() {
    for program in "qemu-system-$(uname -m)" /usr/libexec/qemu-kvm qemu-kvm; do
        if command -v "$program" >/dev/null 2>&1; then
            $limited "$program" --version
            return
        fi
    done
    return 127
}
