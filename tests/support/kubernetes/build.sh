#!/bin/sh
# Builds Kubernetes from Debian's source package, with Debian's Go, and small programs of ours.
# usage: build.sh SUITE PROGRAMS OUT    PROGRAMS: the directory of our Go files
# Works in the current directory, which it fills with about 3 GB. Root is not needed.
#
# OUT gets the programs, and `version` (v1.20.2), `sources` (Debian's packages and versions).
set -eu
suite=$1 programs=$2 out=$3
work=$PWD

say() { printf '== %s\n' "$*"; }

say fetching Kubernetes and Go
mkdir -p lists/partial archives/partial
mirror='[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian'
printf '%s\n' "deb $mirror $suite main" "deb-src $mirror $suite main" >sources.list
cat >apt.conf <<END
Dir::Etc::SourceList "$work/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::State::Lists "$work/lists";
Dir::Cache "$work";
APT::Sandbox::User "";
Acquire::Retries "3";
END
export APT_CONFIG="$work/apt.conf"
apt-get update --error-on=any
apt-get source --download-only kubernetes
apt-get download golang-1.19-go golang-1.19-src golang-github-modern-go-reflect2-dev

say unpacking
for package in ./*.deb; do dpkg-deb -x "$package" tools; done
tree=$work/go/src/k8s.io/kubernetes
mkdir -p "${tree%/*}" "$out"
dpkg-source -x ./*.dsc "$tree"
version=$(dpkg-parsechangelog --file "$tree/debian/changelog" --show-field Version)
printf 'v%s\n' "$(printf '%s' "${version##*really}" | sed 's/-.*//')" >"$out/version"
for package in ./*.deb ./*.dsc; do basename "$package"; done >"$out/sources"
# The vendored 1.0.1 crashes kubeadm when Go is newer than 1.17.
rm -r "$tree/vendor/github.com/modern-go/reflect2"
cp -r tools/usr/share/gocode/src/github.com/modern-go/reflect2 "$tree/vendor/github.com/modern-go/"

export GOROOT="$work/tools/usr/lib/go-1.19" GOPATH="$work/go" GOCACHE="$work/cache" HOME="$work"
export GO111MODULE=off CGO_ENABLED=0 GOFLAGS=-buildvcs=false
PATH=$GOROOT/bin:$PATH
cd "$tree"

say generating the API description
go build -o "$work/openapi-gen" ./vendor/k8s.io/kube-openapi/cmd/openapi-gen
# What upstream's Makefile finds, too: all packages that ask for it.
tops=$(find vendor/k8s.io/ -mindepth 1 -maxdepth 1 \
    ! -name code-generator ! -name 'sample-*' ! -name kube-openapi)
# shellcheck disable=SC2046,SC2086  # paths without blanks; the slash follows the links
packages=$(grep -rl '+k8s:openapi-gen=' --include='*.go' $(printf '%s/ ' $tops) pkg |
    xargs -n1 dirname | LC_ALL=C sort -u | tr -s / | sed 's,^,k8s.io/kubernetes/,' | paste -sd,)
"$work/openapi-gen" -i "$packages" -p k8s.io/kubernetes/pkg/generated/openapi \
    -O zz_generated.openapi -h hack/boilerplate/boilerplate.generatego.txt -r "$work/violations"

say compiling Kubernetes
number=$(cat "$out/version")
flags='-s -w'
for library in component-base/version client-go/pkg/version; do
    at=k8s.io/kubernetes/vendor/k8s.io/$library
    flags="$flags -X $at.gitVersion=$number -X $at.gitMajor=1 -X $at.gitTreeState=archive"
    flags="$flags -X $at.gitMinor=$(printf '%s' "$number" | cut -d. -f2)"
done
for program in "$programs"/*.go; do
    name=$(basename "$program" .go)
    mkdir -p "cmd/tests/$name"
    cp "$program" "cmd/tests/$name/main.go"
done
go build -tags 'providerless dockerless' -ldflags "$flags" -o "$out/" ./cmd/kubeadm ./cmd/kubelet \
    ./cmd/kubectl ./cmd/kube-apiserver ./cmd/kube-controller-manager ./cmd/kube-scheduler \
    ./cmd/kube-proxy ./cmd/tests/...
"$out/kubeadm" version -o short
