#!/bin/sh
# The README's `make all; sudo make install`, for one archive and any prefix.
#
#     build.sh ARCHIVE PREFIX VERSION
#
# Works in a directory of its own ($TMPDIR) and leaves nothing there. PREFIX/bin/cyclictest is
# put in place last and by a rename, so an interrupted build never looks like a finished one.
# Exit status: 2 usage, 3 a compiler or header is missing, 1 it does not build. The last line
# says what is wrong.
set -eu

fail() { status=$1; shift; echo "build.sh: $*" >&2; exit "$status"; }

[ $# -eq 3 ] || fail 2 "usage: build.sh ARCHIVE PREFIX VERSION"
archive=$1
prefix=$2
version=$3
[ -f "$archive" ] || fail 2 "there is no archive $archive"

for program in gcc make tar; do
	command -v "$program" >/dev/null 2>&1 || fail 3 "$program is not installed"
done
echo '#include <numa.h>' | gcc -E -x c - >/dev/null 2>&1 ||
	fail 3 "the headers of libnuma are not installed (Debian: libnuma-dev, Fedora: numactl-devel)"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

tar -xf "$archive" -C "$work" || fail 1 "$archive cannot be unpacked"
source=
for directory in "$work"/*/; do
	[ -f "${directory}Makefile" ] && source=$directory
done
[ -n "$source" ] || fail 1 "$archive has no Makefile in its top directory"

jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
make -C "$source" -j "$jobs" all || fail 1 "rt-tests $version does not compile here"

# Not `make install`: it also wants a Python of its own choosing for hwlatdetect.
mkdir -p "$prefix/bin"
for built in "$source"*; do
	name=$(basename "$built")
	if [ -f "$built" ] && [ -x "$built" ] && [ "$name" != cyclictest ] && is_program=$(
		od -An -tx1 -N4 "$built" | tr -d ' '
	) && [ "$is_program" = 7f454c46 ]; then
		install -m 755 "$built" "$prefix/bin/.$name.new"
		mv "$prefix/bin/.$name.new" "$prefix/bin/$name"
	fi
done
find "$source" -name '*.8' -exec sh -c '
	mkdir -p "$0/share/man/man8" && install -m 644 "$@" "$0/share/man/man8"
' "$prefix" {} +
[ -x "${source}cyclictest" ] || fail 1 "rt-tests $version built no cyclictest"
"${source}cyclictest" --help 2>&1 | grep -q '^cyclictest V' ||
	fail 1 "the cyclictest that was built does not start"
install -m 755 "${source}cyclictest" "$prefix/bin/.cyclictest.new"
mv "$prefix/bin/.cyclictest.new" "$prefix/bin/cyclictest"
echo "cyclictest of rt-tests $version is in $prefix/bin"
