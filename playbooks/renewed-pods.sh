# The static pods of the control plane that began before their certificates were written: they have
# the old ones. Prints a name each.
#     sh -s look       also those that do not run
#     sh -s restart    end them; the kubelet starts them anew
set -u
cd /etc/kubernetes || exit 1

# NAME FILE...
pod() {
    name=$1
    shift
    [ -e "manifests/$name.yaml" ] || return 0
    newest=0
    for file; do
        [ -e "$file" ] || continue
        written=$(stat -c %Y "$file")
        [ "$written" -le "$newest" ] || newest=$written
    done
    process=
    for entry in /proc/[0-9]*; do
        program=$(tr '\0' '\n' <"$entry/cmdline" 2>/dev/null | head -n 1)
        [ "${program##*/}" = "$name" ] || continue
        # Of a pod, and no program of the same name beside.
        grep -q kubepods "$entry/cgroup" 2>/dev/null || continue
        process=${entry#/proc/}
        break
    done
    if [ -z "$process" ]; then
        [ "$mode" = restart ] || echo "$name"
        return 0
    fi
    age=$(ps -o etimes= -p "$process") || return 0
    [ "$(($(date +%s) - age))" -le "$newest" ] || return 0
    echo "$name"
    [ "$mode" = look ] || kill "$process"
}

mode=$1
pod etcd pki/etcd/server.crt pki/etcd/peer.crt
pod kube-apiserver pki/apiserver.crt pki/apiserver-etcd-client.crt \
    pki/apiserver-kubelet-client.crt pki/front-proxy-client.crt
pod kube-controller-manager controller-manager.conf
pod kube-scheduler scheduler.conf
