# kubeadm upgrade moves a static pod's manifest away before it puts the new one there; killed in
# between, it leaves none. Put back what is in its newest backup. Prints what it put back.
#     sh -s
set -eu
cd /etc/kubernetes
for name in etcd kube-apiserver kube-controller-manager kube-scheduler; do
    [ ! -e "manifests/$name.yaml" ] || continue
    for kept in tmp/kubeadm-backup-manifests*/"$name.yaml"; do
        # By name they are in order of time.
        [ ! -e "$kept" ] || last=$kept
    done
    [ -n "${last:-}" ] || continue
    cp -p "$last" "manifests/.$name.yaml"
    mv "manifests/.$name.yaml" "manifests/$name.yaml"
    echo "$name.yaml"
    last=
done
