# shellcheck shell=sh disable=SC2034,SC2154
# Who configures the network, for bridge.sh: each NAME has NAME_try (make the bridge, in /run only),
# NAME_keep (the same for good; it may be repeated) and NAME_back (as it was before, from anywhere).

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
        for key in connection.zone ipv4.method ipv4.addresses ipv4.gateway ipv4.dns ipv4.dns-search ipv4.routes \
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
    } | put "/etc/systemd/system/$name.service"
    mkdir -p "/etc/systemd/system/multi-user.target.wants"
    ln -sfn "../$name.service" "/etc/systemd/system/multi-user.target.wants/$name.service"
    systemctl daemon-reload
}
service_back() { gone; }
