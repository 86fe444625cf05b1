#!/bin/sh
# A bridge made on trial: until somebody comes back over the network and keeps it, nothing outlives
# this boot, and a timer takes all of it back.
#
# usage: bridge.sh try BRIDGE NIC ADDRESS SECONDS   NIC and ADDRESS may be `none`
#        bridge.sh keep BRIDGE      it works and we came back: make it last, stop the timer
#        bridge.sh back BRIDGE      put everything back, unless it is kept already
#        bridge.sh state BRIDGE NIC     print `there` or `absent`, then the phase of its trial
#
# The bridge gets the card's hardware address and configuration. On trial that configuration lies
# in /run, so that a restart forgets it; kept, the same files lie in /etc. Exit status 3: refused.
set -eu
umask 022
# Whoever asked may be cut off by what we do.
trap '' HUP
act=$1 bridge=$2
base=${KUBERT_BRIDGE_STATE:-/run/kubert-tui/bridge}
state=$base/$bridge
mark="# Made by kubert-tui for the bridge $bridge"
name=kubert-$bridge
interfaces=/etc/network/interfaces

say() { echo "bridge.sh: $*" >&2; }
refuse() {
    say "$*"
    exit 3
}
get() { cat "$state/$1" 2>/dev/null || :; }
# Whole or not at all.
put() {
    cat >"$1.new"
    mv "$1.new" "$1"
}
set_to() {
    printf '%s\n' "$2" >"$state/$1.new"
    mv "$state/$1.new" "$state/$1"
}
phase() { set_to phase "$*"; }
locked() {
    mkdir -p "$state"
    exec 9>"$state/lock"
    flock 9
}
# By `ip`, for a container may see the /sys of another network. `link` prints nothing without it.
link() { ip -o link show dev "$@" 2>/dev/null || :; }
index() { link "$1" | cut -d : -f 1; }
word_after() { awk -v key="$1" '{ for (i = 1; i < NF; i++) if ($i == key) print $(i + 1) }'; }
is_there() {
    [ -n "$(link "$bridge" type bridge)" ] && { [ "${nic:-none}" = none ] || [ -n "$(link "$nic" master "$bridge")" ]; }
}

gone() {
    [ "$nic" = none ] || ip link set dev "$nic" nomaster 2>/dev/null || :
    ! ip link show dev "$bridge" >/dev/null 2>&1 || ip link delete dev "$bridge"
}

# What has to be as it was before: told as `address A`, `route GATEWAY`.
told_of() {
    ip -o -4 addr show dev "$1" scope global | awk '{ print "address " $4 }'
    ip -4 route show default dev "$1" | awk '$1 == "default" && $2 == "via" { print "route " $3 }' | sort -u
}
# Whether somebody answers at an address of the card's own network (ARP: no firewall hides it).
answers() {
    ip neigh show "$1" dev "$2" | grep -q PERMANENT && return
    ip neigh flush to "$1" dev "$2" 2>/dev/null || :
    for _ in 1 2 3 4 5 6; do
        python3 -c 'import socket, sys
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"", (sys.argv[1], 9))' "$1" 2>/dev/null || :
        sleep 0.5
        ip neigh show "$1" dev "$2" | grep -q lladdr && return
    done
    return 1
}
# Print what is missing, nothing if all is there.
missing() {
    is_there || { echo "there is no bridge $bridge with $nic" && return; }
    told_of "$bridge" >"$state/now"
    while read -r kind value; do
        case $kind in
            address | route) grep -qxF "$kind $value" "$state/now" || echo "$bridge has no $kind $value" ;;
            answers) [ -s "$state/now" ] && answers "$value" "$bridge" || echo "the gateway $value does not answer" ;;
        esac
    done <"$state/before"
}
await() {
    turn=0
    while why=$(missing | paste -sd ';' -) && [ -n "$why" ]; do
        turn=$((turn + 1))
        [ "$turn" -lt 40 ] || return 1
        sleep 0.5
    done
}

load() {
    nic=$(get nic) address=$(get address) manager=$(get manager)
    if [ "$manager" = NetworkManager ]; then manager="nm"; fi
}

# Start something later that outlives us and the connection: NAME SECONDS AGAIN COMMAND...
detached() {
    unit=$1 after=$2 again=$3
    shift 3
    if [ -d /run/systemd/system ]; then
        systemctl stop "$unit.timer" "$unit.service" 2>/dev/null || :
        systemctl reset-failed "$unit.timer" "$unit.service" 2>/dev/null || :
        systemd-run --quiet --collect --unit="$unit" --on-active="$after" \
            --timer-property=AccuracySec=100ms ${again:+"$again"} "$@" 9>&-
    else
        # shellcheck disable=SC2016  # expanded there
        setsid sh -c 'sleep "$1"; shift; exec "$@"' sh "$after" "$@" </dev/null >/dev/null 2>&1 9>&- &
    fi
}
script=$base/bridge.sh
# Where no systemd is, nothing has to be stopped: `back` looks, and finds nothing to do.
disarm() { [ ! -d /run/systemd/system ] || systemctl stop "$name-back.timer" || :; }
# End a change that is at work; whoever waits for its lock would wait for good if it hangs.
stop_change() {
    case "$(get phase)" in trying*) ;; *) return 0 ;; esac
    if [ -d /run/systemd/system ]; then
        systemctl stop "$name-try.timer" 2>/dev/null || :
        systemctl kill --signal=KILL "$name-try.service" 2>/dev/null || :
    elif [ -n "$(get session)" ]; then
        kill -KILL -- "-$(get session)" 2>/dev/null || :
    fi
}

# shellcheck source=playbooks/bridge-managers.sh
[ "$act" = state ] || . "$base/bridge-managers.sh"

case $act in
    try)
        nic=$3 address=$4 seconds=$5
        locked
        case "$(get phase)" in
            trying* | working* | keeping*)
                [ "$(get nic)" = "$nic" ] || refuse "another trial of $bridge is under way, with $(get nic)"
                exit 0
                ;;
        esac
        find "$state" -mindepth 1 ! -name lock -delete
        if [ "$nic" != none ]; then
            [ -n "$(link "$nic")" ] || refuse "there is no network card $nic"
            master=$(link "$nic" | word_after master)
            [ -z "$master" ] || refuse "$nic belongs to $master already"
            [ ! -e "/sys/class/net/$nic/phy80211" ] || refuse "$nic is wireless, and a wireless card cannot be a port"
            for kind in vlan macvlan macvtap ipvlan; do
                upper=$(ip -o link show type "$kind" 2>/dev/null | grep -oF "@$nic:" || :)
                [ -z "$upper" ] || refuse "a $kind lies on $nic: make $bridge by hand"
            done
        fi
        if grep -qsF "$mark" "/etc/systemd/network/00-$name.netdev" &&
            [ -z "$(ip -o link show master "$bridge" 2>/dev/null)" ]; then
            # Ours, from a time when a power cut came before its last file.
            ip link delete dev "$bridge" 2>/dev/null || :
        fi
        [ -z "$(link "$bridge")" ] || refuse "$bridge exists already, and $nic is no port of it: add it by hand, or remove $bridge"
        manager=$(manager_of "$nic")
        set_to nic "$nic"
        set_to address "$address"
        set_to manager "$manager"
        : >"$state/before"
        if [ "$nic" != none ]; then
            set_to mac "$(link "$nic" | word_after link/ether)"
            told_of "$nic" >"$state/before"
            gateway=$(sed -n 's/^route //p' "$state/before" | head -n 1)
            if [ -n "$gateway" ] && answers "$gateway" "$nic"; then
                echo "answers $gateway" >>"$state/before"
            fi
        fi
        if [ "$manager" = ifupdown ]; then
            ifupdown_file
            set_to file "$file"
        fi
        # The way back is there before anything is changed.
        phase trying
        # Again and again, until it has ended: it may be killed, too.
        detached "$name-back" "$seconds" --on-unit-inactive=5 sh "$script" back "$bridge"
        # After whoever asked has heard that it begins.
        detached "$name-try" 2 "" sh "$script" change "$bridge"
        ;;
    change)
        locked
        load
        [ "$(get phase)" = trying ] || exit 0
        set_to session $$
        # Not as a condition: there the first failure would not end it.
        set +e
        (
            set -e
            "${manager}_try"
        ) >>"$state/log" 2>&1 9>&-
        ended=$? why=
        set -e
        if [ "$ended" = 0 ] && await; then
            phase working
        else
            phase "failed ${why:-$(tail -n 3 "$state/log" | tr '\n' ' ')}"
            exec 9>&-
            exec sh "$script" back "$bridge"
        fi
        ;;
    keep)
        # `change` has the lock as long as it is at work.
        deadline=$(($(date +%s) + 90))
        while case "$(get phase)" in trying*) [ "$(date +%s)" -lt "$deadline" ] ;; *) false ;; esac; do sleep 0.3; done
        locked
        load
        case "$(get phase)" in
            working* | keeping*) ;;
            kept*) exit 0 ;;
            *) refuse "$bridge was not kept: $(get phase)" ;;
        esac
        if why=$(missing | paste -sd ';' -) && [ -n "$why" ]; then
            phase "failed $why"
            exec 9>&-
            sh "$script" back "$bridge"
            refuse "$bridge was not kept: $why"
        fi
        # From here on it is finished, by us or by the timer.
        phase keeping
        "${manager}_keep" >>"$state/log" 2>&1 9>&-
        phase kept
        disarm
        ;;
    back)
        [ -d "$state" ] || exit 0
        stop_change
        locked
        load
        case "$(get phase)" in
            '' | kept* | back*)
                disarm
                exit 0
                ;;
            keeping*)
                "${manager}_keep" >>"$state/log" 2>&1 9>&-
                phase kept
                disarm
                exit 0
                ;;
            failed*) why=$(get phase) ;;
            *) why="nobody came back over the network in time" ;;
        esac
        "${manager}_back" >>"$state/log" 2>&1 9>&- || why="$why; going back complained, see $state/log"
        phase "back ${why#failed }"
        disarm
        ;;
    state)
        nic=$3
        if is_there; then echo there; else echo absent; fi
        get phase
        ;;
    *) refuse "unknown: $act" ;;
esac
