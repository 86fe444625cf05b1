# shellcheck shell=sh
# A hook of mmdebstrap: sh cloud_first.sh TREE. What disk_root.sh would stumble over.
set -eu
# systemd-resolved's link leads nowhere while nothing runs in there.
rm -f "$1/etc/resolv.conf"
