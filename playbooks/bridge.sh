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
units=/etc/systemd/system
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

# Which service has the card's configuration.
manager_of() {
    [ "$1" != none ] || { echo service && return; }
    if grep -qs '^managed=true' "/run/NetworkManager/devices/$(index "$1")"; then
        echo NetworkManager
    elif [ -e "/run/systemd/netif/links/$(index "$1")" ] &&
        ! grep -qsx ADMIN_STATE=unmanaged "/run/systemd/netif/links/$(index "$1")"; then
        echo networkd
    elif grep -qsE "^[[:space:]]*iface[[:space:]]+$1[[:space:]]" "$interfaces" "$interfaces".d/*; then
        echo ifupdown
    elif [ -z "$(ip -o addr show dev "$1" scope global)" ]; then
        echo service
    else
        refuse "nobody manages $1 that we know (NetworkManager, systemd-networkd, ifupdown), and it has addresses"
    fi
}

# --- systemd-networkd (netplan's, too): files that come before all others by their names.
networkd_files="00-$name.netdev 00-$name.network 00-$name-port.network"

networkd_write() {
    at=/run/systemd/network link=/run/systemd/netif/links/$(index "$nic")
    mkdir -p "$at"
    source=$(sed -n 's/^NETWORK_FILE=//p' "$link")
    [ -r "${source:-none}" ] || refuse "systemd-networkd does not tell which file configures $nic"
    more=$(sed -n 's/^NETWORK_FILE_DROPINS=//p' "$link" | tr -d '"')
    lease=$(sed -n 's/^CLIENTID=ff\(........\).*/\1/p' "/run/systemd/netif/leases/$(index "$nic")" 2>/dev/null || :)
    put "$at/00-$name.netdev" <<END
$mark
[NetDev]
Name=$bridge
Kind=bridge
MACAddress=$(get mac)

[Bridge]
STP=no
ForwardDelaySec=0
END
    {
        printf '%s\n# with the configuration of %s\n[Match]\nName=%s\n\n' "$mark" "$source" "$bridge"
        # shellcheck disable=SC2086  # a list
        for one in "$source" $more; do
            awk '/^[[:space:]]*\[/ { skip = /\[(Match|Link)\]/ } !skip' "$one"
            echo
        done
        # The same to the DHCP server as before, or it may give another address.
        [ -z "$lease" ] || printf '[DHCPv4]\nIAID=%d\n' "0x$lease"
    } | put "$at/00-$name.network"
    {
        printf '%s\n[Match]\nName=%s\n\n' "$mark" "$nic"
        # shellcheck disable=SC2086
        awk '/^[[:space:]]*\[/ { link = /\[Link\]/ } link' "$source" $more
        printf '\n[Network]\nBridge=%s\nLinkLocalAddressing=no\n' "$bridge"
    } | put "$at/00-$name-port.network"
}
networkd_try() {
    networkd_write
    networkctl reload
}
networkd_keep() {
    # The card joins by the last one; without it the bridge has no carrier and no address.
    for one in $networkd_files; do
        [ ! -e "/run/systemd/network/$one" ] || put "/etc/systemd/network/$one" <"/run/systemd/network/$one"
    done
    for one in $networkd_files; do rm -f "/run/systemd/network/$one"; done
}
networkd_back() {
    for one in $networkd_files; do rm -f "/run/systemd/network/$one" "/etc/systemd/network/$one"; done
    gone
    networkctl reload
    networkctl reconfigure "$nic"
}

# --- NetworkManager: profiles that lie in memory while on trial. The card's own stays.
nm_try() {
    # Of a time when a power cut came in between.
    for one in "$name-port" "$name"; do nmcli connection delete "$one" 2>/dev/null || :; done
    own=$(nmcli -g GENERAL.CON-UUID device show "$nic")
    set_to profile "$own"
    set -- ipv4.method disabled ipv6.method disabled
    if [ -n "$own" ]; then
        set --
        for key in ipv4.method ipv4.addresses ipv4.gateway ipv4.dns ipv4.dns-search ipv4.routes \
            ipv4.route-metric ipv4.never-default ipv4.ignore-auto-dns ipv4.ignore-auto-routes \
            ipv4.dhcp-client-id ipv4.may-fail ipv6.method ipv6.addresses ipv6.gateway ipv6.dns \
            ipv6.dns-search ipv6.routes ipv6.route-metric ipv6.never-default ipv6.addr-gen-mode \
            ipv6.ignore-auto-dns ipv6.ignore-auto-routes ipv6.may-fail; do
            value=$(nmcli -e no -g "$key" connection show "$own" 2>/dev/null || :)
            case $value in '' | --) ;; *) set -- "$@" "$key" "$value" ;; esac
        done
    fi
    nmcli connection add save no type bridge con-name "$name" ifname "$bridge" autoconnect no \
        bridge.stp no bridge.mac-address "$(get mac)" connection.autoconnect-priority 100 \
        connection.autoconnect-slaves 1 "$@"
    nmcli connection add save no type ethernet con-name "$name-port" ifname "$nic" autoconnect no \
        connection.autoconnect-priority 100 master "$bridge" slave-type bridge
    # It waits for an address, which needs the port.
    nmcli --wait 0 connection up "$name"
    nmcli --wait 30 connection up "$name-port"
}
nm_keep() {
    # Changed without `--temporary` they are written to the disk.
    nmcli connection modify "$name" connection.autoconnect yes
    nmcli connection modify "$name-port" connection.autoconnect yes
}
nm_back() {
    for one in "$name-port" "$name"; do nmcli connection delete "$one" || :; done
    gone
    [ -z "$(get profile)" ] || nmcli --wait 30 connection up "$(get profile)"
}

# --- ifupdown: another file for the trial, then in place of the one that names the card.
ifupdown_file() {
    file=$(grep -lsE "^[[:space:]]*iface[[:space:]]+${nic}[[:space:]]" "$interfaces" "$interfaces".d/* || :)
    [ "$(echo "$file" | wc -w)" = 1 ] ||
        refuse "$nic is configured in several files: $(echo "$file" | tr '\n' ' ')"
}
# The file's text with the bridge in the card's place.
ifupdown_text() {
    awk -v nic="$nic" -v bridge="$bridge" -v mac="$(get mac)" -v mark="$mark" '
        $1 == "auto" || $1 ~ /^allow-/ {
            rest = ""; mine = 0
            for (i = 2; i <= NF; i++) if ($i == nic) mine = 1; else rest = rest " " $i
            if (mine) { if (rest != "") print $1 rest; print "auto " bridge; next }
        }
        $1 == "iface" && $2 == nic {
            sub(nic, bridge)
            if (!done++) {
                print mark; print "iface " nic " inet manual"; print; p = "    "
                print p "pre-up ip link show dev " bridge " >/dev/null 2>&1 || ip link add name " bridge " address " mac " type bridge stp_state 0 forward_delay 0"
                print p "pre-up ip addr flush dev " nic
                print p "pre-up ip link set dev " nic " master " bridge
                print p "pre-up ip link set dev " nic " up"
                print p "post-down ip link set dev " nic " nomaster || :"
                print p "post-down ip link delete dev " bridge " || :"
                next
            }
        }
        { print }'
}
ifupdown_try() {
    ifupdown_file
    ifupdown_text <"$file" >"$state/kept"
    # The others need not be brought in by it.
    grep -vE '^[[:space:]]*source' "$state/kept" >"$state/interfaces"
    ifdown --force "$nic" || :
    ifup -i "$state/interfaces" "$bridge"
}
ifupdown_keep() {
    file=$(get file)
    [ -s "$state/kept" ] && ! grep -qsF "$mark" "$file" || return 0
    mkdir -p /var/lib/kubert-tui/bridge
    cp -p "$file" "/var/lib/kubert-tui/bridge/interfaces-before-$bridge"
    # A name that `source interfaces.d/*` does not read.
    cp "$state/kept" "${file%/*}/.$name"
    chmod --reference="$file" "${file%/*}/.$name"
    mv "${file%/*}/.$name" "$file"
}
ifupdown_back() {
    if [ -s "$state/interfaces" ]; then ifdown --force -i "$state/interfaces" "$bridge" || :; fi
    gone
    ifdown --force "$nic" || :
    ip addr flush dev "$nic" || :
    ifup --force "$nic"
}

# --- no configuration to take over: a unit that makes the bridge.
service_commands() {
    echo "ip link show dev $bridge >/dev/null 2>&1 || ip link add name $bridge type bridge stp_state 0 forward_delay 0"
    [ "$nic" = none ] || echo "ip link set dev $nic up master $bridge"
    [ "$address" = none ] || echo "ip address replace $address dev $bridge"
    echo "ip link set dev $bridge up"
}
service_try() { service_commands | sh -e; }
service_keep() {
    if [ ! -d /run/systemd/system ]; then
        say "systemd does not run here: the bridge is there until the next restart only"
        return
    fi
    {
        printf '%s\n[Unit]\nDescription=The bridge %s of virtual machines\nAfter=network-pre.target\n' "$mark" "$bridge"
        printf 'Before=network-online.target libvirtd.service\n[Service]\nType=oneshot\nRemainAfterExit=yes\n'
        service_commands | sed "s/.*/ExecStart=\/bin\/sh -c '&'/"
        printf '[Install]\nWantedBy=multi-user.target\n'
    } | put "$units/$name.service"
    mkdir -p "$units/multi-user.target.wants"
    ln -sfn "../$name.service" "$units/multi-user.target.wants/$name.service"
    systemctl daemon-reload
}
service_back() { gone; }

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
        if "${manager}_try" >>"$state/log" 2>&1 9>&- && await; then
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
        if [ -d /run/systemd/system ]; then systemctl stop "$name-back.timer" || :; fi
        ;;
    back)
        [ -d "$state" ] || exit 0
        stop_change
        locked
        load
        case "$(get phase)" in
            '' | kept* | back*) exit 0 ;;
            keeping*)
                "${manager}_keep" >>"$state/log" 2>&1 9>&-
                phase kept
                exit 0
                ;;
            failed*) why=$(get phase) ;;
            *) why="nobody came back over the network in time" ;;
        esac
        "${manager}_back" >>"$state/log" 2>&1 9>&- || why="$why; going back complained, see $state/log"
        phase "back ${why#failed }"
        if [ -d /run/systemd/system ]; then systemctl stop "$name-back.timer" || :; fi
        ;;
    state)
        nic=$3
        if is_there; then echo there; else echo absent; fi
        get phase
        ;;
    *) refuse "unknown: $act" ;;
esac
