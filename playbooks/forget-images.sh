#!/bin/sh
# Removes the images that were made on a node for pods that were measured; prints their names.
#   sh -s RUNTIME SOCKET < forget-images.sh
socket=${2#unix://}

if [ "$1" = docker ]; then
    docker images --quiet localhost/kubert-tui/rt-tests 2> /dev/null | sort -u | while read -r image; do
        docker rmi --force "$image"
    done
    exit 0
fi
# What is not containerd has none.
command -v ctr > /dev/null && [ -S "$socket" ] || exit 0
images() { ctr --address "$socket" --namespace k8s.io images "$@" < /dev/null; }

# The kubelet's interface calls each image by its digest, too.
listed=$(images list) || exit 1
ours=$(printf '%s\n' "$listed" | while read -r name _ digest _; do
    case $name in localhost/kubert-tui/*) echo "$digest" ;; esac
done)
printf '%s\n' "$listed" | while read -r name _ digest _; do
    for one in $ours; do
        [ "$digest" != "$one" ] || images remove --sync "$name" || exit 1
    done
done
