#!/bin/sh
# Prints the path of the disk image of a libvirt box that Vagrant has here: of the newest version,
# or of the one that is named. Nothing if there is none.
#   sh -s -- NAME [VERSION] <vagrant-box-image.sh
set -eu
name=$(printf '%s' "$1" | sed 's,/,-VAGRANTSLASH-,g')
wanted=${2:-}
boxes=${VAGRANT_HOME:-$HOME/.vagrant.d}/boxes/$name
[ -d "$boxes" ] || exit 0
cd "$boxes"
for version in $(find . -mindepth 1 -maxdepth 1 -type d | sed 's,^\./,,' | sort -rV); do
    [ -z "$wanted" ] || [ "$version" = "$wanted" ] || continue
    # Since Vagrant 2.4 there is a directory for the architecture between.
    for box in "$version/libvirt" "$version"/*/libvirt; do
        image=box.img
        if [ ! -f "$box/$image" ] && [ -f "$box/metadata.json" ]; then
            # Boxes with several disks name them; the first is the system's.
            image=$(sed -n 's,.*"path" *: *"\([^"/]*\)".*,\1,p' "$box/metadata.json" | head -n 1)
        fi
        if [ -n "$image" ] && [ -f "$box/$image" ]; then
            printf '%s\n' "$PWD/$box/$image"
            exit 0
        fi
    done
done
