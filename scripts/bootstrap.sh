# shellcheck shell=bash
# Sets up kubert-tui in its checkout: system packages, then a virtual environment in .venv.
# Sourced by ./run and ./test, which call `prepare KIND`. Everything it says goes to stderr.
#
# Exit statuses (the classes of docs/exit-codes.md):
#   1  pip failed           4  no network                 5  neither root nor sudo
#   7  something is missing and cannot be installed        130  interrupted

checkout=$(readlink -f -- "${BASH_SOURCE[0]}")
checkout=${checkout%/scripts/bootstrap.sh}
venv=$checkout/.venv
log=$venv/setup.log

# prepare run|test: return at once if .venv fits, else make it.
prepare() {
    if is_ready "$1"; then return; fi
    # The checkout itself is the lock: nothing to clean up, and the kernel ends it with us.
    exec 9<"$checkout"
    if have flock && ! flock -n 9; then
        say "another set-up of this checkout is at work; waiting for it"
        flock 9
    fi
    if ! is_ready "$1"; then set_up "$1"; fi
    exec 9<&-
}

is_ready() {
    local stamp=$venv/.ready-$1 expected=
    [[ -f $stamp && -x $venv/bin/python && -x $venv/bin/kubert-tui ]] || return
    expected=$(<"$stamp")
    [[ $expected == "$(fingerprint)" ]]
}

# What the environment depends on. Cheap: it runs at every start. The interpreter's real path
# shows an exchanged system Python, the checkout's a moved or copied directory.
fingerprint() {
    printf '%s\n' "$checkout"
    readlink -f -- "$venv/bin/python"
    cksum <"$checkout/pyproject.toml"
    cksum <"$checkout/scripts/bootstrap.sh"
}

set_up() {
    local kind=$1 extras='' python='' made='' compile=--compile
    # Own settings for other places do not apply here; a dead network is told soon.
    local -x PIP_USER=0 PYTHONNOUSERSITE=1 PIP_RETRIES=${PIP_RETRIES:-2}
    # Tests keep bytecode of their own (see ./test).
    [[ $kind != test ]] || extras='[dev]' compile=--no-compile
    if ! mkdir -p -- "$venv" 2>/dev/null || [[ ! -w $venv ]]; then
        fail 1 "cannot write to $venv" "work in a checkout of your own"
    fi
    trap 'fail 130 "interrupted" "the next start goes on"' INT TERM
    : >"$log"
    system_packages "$kind"
    python=$(find_python) || fail 7 "Python 3.11 or newer is needed; this system has $(python3 --version 2>&1 || true)" \
        "install one, with its venv module"
    if ! usable_venv; then
        say "making a virtual environment with $("$python" --version 2>&1)"
        empty_venv
        # Until it is removed again, what is here is not to be trusted: we may be killed.
        : >"$venv/.unfinished"
        quietly "$python" -m venv -- "$venv" || fail 7 "$python cannot make a virtual environment" "see $log"
    fi
    : >"$venv/.unfinished"
    rm -f -- "$venv"/.ready-*
    say "installing Python packages (a minute or two the first time)"
    if ! (cd -- "$checkout" && quietly "$venv/bin/python" -m pip --disable-pip-version-check install --no-input "$compile" -e ".$extras"); then
        explain_pip
    fi
    made=$(fingerprint)
    rm -f -- "$venv/.unfinished"
    if [[ $kind == test ]]; then printf '%s\n' "$made" >"$venv/.ready-test"; fi
    printf '%s\n' "$made" >"$venv/.ready-run"
    trap - INT TERM
}

# Removes everything in it but the log of this set-up.
empty_venv() {
    local path=''
    for path in "$venv"/* "$venv"/.[!.]*; do
        [[ $path == "$log" ]] || rm -rf -- "$path"
    done
}

# An environment made here (console scripts name their place), whole, with a Python we accept.
usable_venv() {
    [[ ! -e $venv/.unfinished && -x $venv/bin/python && -f $venv/bin/pip ]] || return
    local head=''
    head=$(head -n 2 -- "$venv/bin/pip")
    [[ $head == "#!$venv/bin/"* || $head == *"'exec' \"$venv/bin/"* ]] || return
    quietly "$venv/bin/python" -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))'
}

explain_pip() {
    local tail=''
    tail=$(tail -n 60 -- "$log")
    case $tail in
    *"No space left on device"*) fail 1 "the disk is full" "free some space and start again" ;;
    *"NewConnectionError"* | *"NameResolutionError"* | *"Failed to establish a new connection"* | \
        *"Network is unreachable"* | *"ProxyError"* | *"ConnectTimeoutError"* | *"ReadTimeoutError"* | \
        *"Connection refused"* | *"Temporary failure in name resolution"*)
        fail 4 "the Python package index cannot be reached" "check network and proxy, then start again; log: $log" ;;
    *"libvirt"*[Ee]"rror"* | *"gcc"*"failed"* | *"command 'gcc'"* | *"pkg-config"*)
        fail 7 "libvirt-python could not be built" "see $log" ;;
    *) fail 1 "pip failed" "see $log" ;;
    esac
}

# Prints the first interpreter that will do: new enough, with venv and headers; else new enough.
find_python() {
    local name='' second=''
    for name in python3 /usr/bin/python3 python3.14 python3.13 python3.12 python3.11; do
        name=$(command -v "$name") || continue
        "$name" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>>/dev/null 9<&- || continue
        if has_headers "$name"; then
            printf '%s\n' "$name"
            return
        fi
        second=${second:-$name}
    done
    [[ -n $second ]] && printf '%s\n' "$second"
}

has_headers() {
    "$1" -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))' 9<&-
}

# The packages that are missing, each `needed` (we cannot start without it) or `useful`.
# Detected by what they bring, not by asking the package manager: cheap, and true for hand-made installs.
missing_packages() {
    local kind=$1 family=$2 python=''
    python=$(find_python) || python=''
    without() { printf '%s %s\n' "$1" "$([[ $family == debian ]] && echo "$2" || echo "$3")"; }
    if [[ -z $python ]]; then
        without needed "python3 python3-venv python3-dev" "python3 python3-devel"
    elif ! has_headers "$python"; then
        without needed python3-dev python3-devel
    fi
    have gcc || without needed "gcc libc6-dev" gcc
    have pkg-config || without needed pkg-config pkgconf-pkg-config
    pkg-config --exists libvirt 2>/dev/null || without needed libvirt-dev libvirt-devel
    have ssh || without useful openssh-client openssh-clients
    have make || without useful make make
    have git || without useful git git-core
    have xz || without useful xz-utils xz
    have patch || without useful patch patch
    [[ -e /usr/include/numa.h ]] || without useful libnuma-dev numactl-devel
    [[ $family != debian ]] || have dpkg-source || without useful dpkg-dev ''
    [[ -e /etc/ssl/certs/ca-certificates.crt || -e /etc/pki/tls/certs/ca-bundle.crt ]] ||
        without useful ca-certificates ca-certificates
    [[ $kind == test ]] || return 0
    have sshd || without useful openssh-server openssh-server
    have sudo || without useful sudo sudo
    have shellcheck || without useful shellcheck ShellCheck
    have busybox || without useful busybox busybox
    have cyclictest || without useful rt-tests realtime-tests
    have stress-ng || without useful stress-ng stress-ng
    have ps || without useful procps procps-ng
    # What practice machines are built with and run by.
    have mmdebstrap || without useful mmdebstrap mmdebstrap
    [[ -e /usr/share/keyrings/debian-archive-keyring.gpg ]] ||
        without useful debian-archive-keyring debian-keyring
    have systemd-nspawn || without useful systemd-container systemd-container
    have slirp4netns || without useful slirp4netns slirp4netns
    have nft || without useful nftables nftables
    have ip || without useful iproute2 iproute
    have qemu-system-x86_64 || without useful qemu-system-x86 qemu-system-x86-core
    # An instrument that is tried in an emulated machine.
    have rtla || without useful rtla rtla
    have qemu-img || without useful qemu-utils qemu-img
    have mke2fs || without useful e2fsprogs e2fsprogs
    have sgdisk || without useful gdisk gdisk
    # A libvirt of the tests' own: daemon, clients, schemas, networks, and the way in over ssh.
    have libvirtd ||
        without useful "libvirt-daemon libvirt-daemon-driver-qemu" "libvirt-daemon libvirt-daemon-kvm"
    have virsh || without useful libvirt-clients libvirt-client
    have xmllint || without useful libxml2-utils libxml2
    have dnsmasq || without useful dnsmasq-base dnsmasq
    have iptables || without useful iptables iptables-nft
    have nc || without useful netcat-openbsd netcat
    # Who signed an image is told by gpgv; tests sign with gpg, and have boxes added.
    { have gpg && have gpgv; } || without useful "gnupg gpgv" gnupg2
    have vagrant || without useful "vagrant vagrant-libvirt" "vagrant vagrant-libvirt"
    # Its tools work on files, too: what the kernel stage does is tried on them.
    [[ $family != debian ]] || have grub-set-default || without useful grub2-common ''
}

have() {
    # Daemons live in directories that are not on everybody's PATH.
    command -v "$1" >>/dev/null || [[ -x /usr/sbin/$1 || -x /sbin/$1 ]]
}

system_packages() {
    local kind=$1 family='' missing='' need='' packages=() reason='' status=0
    local unknown='Unable to locate package|has no installation candidate|No match for argument'
    family=$(distribution_family)
    missing=$(missing_packages "$kind" "${family:-fedora}")
    [[ -n $missing ]] || return 0
    if [[ -z $family ]]; then
        status=7 reason="this is neither Debian nor Fedora"
    elif [[ $(id -u) != 0 ]] && ! may_sudo; then
        status=5 reason="installing them needs root or sudo"
    fi
    for need in needed useful; do
        mapfile -t packages < <(sed -n "s/^$need //p" <<<"$missing" | tr -s ' ' '\n')
        [[ -n ${packages[*]} ]] || continue
        if [[ $status == 0 ]]; then
            say "installing system packages: ${packages[*]}"
            if install_packages "$family" "${packages[@]}"; then continue; else status=$?; fi
            if [[ $need == useful ]] && tail -n 60 -- "$log" | grep -qE "$unknown"; then
                # One that the mirror does not have is no reason to go without the others.
                mapfile -t packages < <(install_each "$family" "${packages[@]}")
                [[ -n ${packages[*]} ]] || continue
            fi
            reason="the package manager failed; log: $log"
            [[ $status != 4 ]] || reason="the package mirror cannot be reached; log: $log"
        fi
        if [[ $need == needed ]]; then
            fail "$status" "missing: ${packages[*]}; $reason" "install them and start again"
        fi
        say "going on without ${packages[*]}: $reason"
    done
}

# debian or fedora, by the package manager that is there.
distribution_family() {
    if have apt-get && have dpkg; then
        echo debian
    elif have dnf; then
        echo fedora
    fi
}

may_sudo() {
    have sudo || return
    # A password can be asked for only where somebody sits.
    if [[ -t 0 && -t 2 ]]; then sudo -v 9<&-; else sudo -n true 2>>/dev/null 9<&-; fi
}

# Returns 4 if the mirror cannot be reached, 7 for any other failure.
install_packages() {
    local family=$1 attempt='' command=() install=() network='Could not resolve|Failed to fetch|Could not connect|Unable to connect|Temporary failure|Unable to locate package|Curl error|unreachable|Failed to download|Cannot prepare internal mirrorlist'
    shift
    package_manager "$family"
    if [[ $family == debian ]]; then
        # Lists may be absent or out of date: they are fetched only when they turn out to be.
        for attempt in install update install; do
            case $attempt in
            update) quietly "${command[@]}" update ;;
            *) quietly "${command[@]}" "${install[@]}" "$@" && return ;;
            esac
        done
    else
        quietly "${command[@]}" "${install[@]}" "$@" && return
    fi 9<&- # a daemon that a package starts would keep our lock
    ! tail -n 60 -- "$log" | grep -qE "$network" || return 4
    return 7
}

# Prints those of the packages that cannot be installed, trying one at a time.
install_each() {
    local family=$1 package='' command=() install=()
    shift
    package_manager "$family"
    for package in "$@"; do
        quietly "${command[@]}" "${install[@]}" "$package" || printf '%s\n' "$package"
    done 9<&-
}

# Sets `command` to the package manager as we call it, and `install` to what makes it install.
package_manager() {
    command=(dnf -y --setopt=install_weak_deps=False)
    install=(install)
    if [[ $1 == debian ]]; then
        command=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300)
        install=(install -y --no-install-recommends)
    fi
    [[ $(id -u) == 0 ]] || command=(sudo "${command[@]}")
}

# Runs a command with its output in the log only.
quietly() {
    {
        printf '+ %s\n' "$*"
        "$@"
    } >>"$log" 2>&1 </dev/null
}

say() {
    printf 'kubert-tui: %s\n' "$1" >&2
}

fail() {
    say "$2 ($3)"
    exit "$1"
}
