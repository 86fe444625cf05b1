#!/bin/sh
# Has a node's own containerd import images while the node is but a directory.
# usage: store-images.sh ROOT ARCHIVES STORE    ARCHIVES, STORE: directories inside ROOT
# In namespaces of its own (mounts, processes): they end with it.
set -eu
root=$1 archives=$2 store=$3
mount --make-rprivate /
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/run"
mount --bind /dev "$root/dev"
cat >"$root/run/config.toml" <<END
version = 2
root = "$store"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.btrfs",
    "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper",
    "io.containerd.snapshotter.v1.aufs"]
END
chroot "$root" containerd --config /run/config.toml >"$root/run/log" 2>&1 &
daemon=$!
until chroot "$root" ctr version >/dev/null 2>&1; do
    kill -0 "$daemon" || { cat "$root/run/log"; exit 1; }
    sleep 0.1
done
for archive in "$root$archives"/*.tar; do
    chroot "$root" ctr --namespace k8s.io images import "$archives/$(basename "$archive")"
done
kill "$daemon"
wait "$daemon" || true
umount -R "$root/dev" "$root/run" "$root/proc"
