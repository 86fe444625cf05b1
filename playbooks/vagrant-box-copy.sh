#!/bin/sh
# Copies a disk image into the directory of a pool, whole or not at all.
#   sh -s -- IMAGE DIRECTORY NAME <vagrant-box-copy.sh
set -eu
if [ ! -d "$2" ]; then
    mkdir -p "$2"
    chmod 0711 "$2"
fi
part=$2/$3.part
cp --sparse=always --reflink=auto -- "$1" "$part"
chmod 0644 "$part"
sync "$part"
mv -- "$part" "$2/$3"
sync "$2"
