# Remove what Kubernetes and its network plugins leave in the kernel of a node: network namespaces,
# interfaces, control groups of pods, and the rules that have their marks (KUBE-, CNI-, FLANNEL-). All
# other rules stay. Prints what it removed.
#     sh -s
set -u
for entry in /run/netns/cni-*; do
    [ ! -e "$entry" ] || { ip netns delete "${entry##*/}" && echo "namespace ${entry##*/}"; }
done
# ip and not /sys/class/net: in a container that may be the computer's.
for name in $(ip -o link show master cni0 2>/dev/null | sed 's/^[0-9]*: \([^@:]*\).*/\1/'); do
    ip link delete "$name"
done
for name in cni0 flannel.1 flannel-v6.1 kube-ipvs0; do
    if ip link show dev "$name" >/dev/null 2>&1; then
        ip link delete "$name" && echo "interface $name"
    fi
done
for family in iptables ip6tables; do
    command -v "$family-save" >/dev/null 2>&1 || continue
    rules=$("$family-save" 2>/dev/null) || continue
    kept=$(printf '%s\n' "$rules" | grep -Ev 'KUBE-|CNI-|FLANNEL-|cni-')
    if [ "$rules" != "$kept" ]; then
        printf '%s\n' "$kept" | "$family-restore" -w 10 && echo "rules of $family"
    fi
done
if command -v nft >/dev/null 2>&1; then
    for table in 'ip kube-proxy' 'ip6 kube-proxy' 'ip flannel-ipv4' 'ip6 flannel-ipv6'; do
        # shellcheck disable=SC2086  # family and name
        if nft list table $table >/dev/null 2>&1; then
            nft delete table $table && echo "table $table"
        fi
    done
fi
# The slice of systemd goes with all below it; without systemd's driver they are plain directories.
if systemctl is-active --quiet kubepods.slice; then
    systemctl stop kubepods.slice && echo 'slice kubepods.slice'
fi
find /sys/fs/cgroup -depth -type d -path '*/kubepods*' -exec rmdir {} \; 2>/dev/null || :
