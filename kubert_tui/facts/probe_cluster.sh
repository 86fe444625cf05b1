# What is looked at on a node of the cluster; probe_frame.sh comes before it.
# Preceded by the lines nonce=RANDOM, socket=PATH and part=node, lead (the control plane: its
# cluster, too), nodes (of the control plane: what nodes there are, no more), pods (of the control
# plane: those on the node of the line node=NAME) or cpus (of a node: who has which, no more;
# nothing at all while cyclictest runs there).

kubelet_arguments() {
    for entry in /proc/[0-9]*; do
        [ "$(cat "$entry/comm" 2>/dev/null)" = kubelet ] || continue
        tr '\0' '\n' <"$entry/cmdline" | tail -n +2
        return 0
    done
}

server_cpus() {
    for entry in /proc/[0-9]*; do
        [ "$(cat "$entry/comm" 2>/dev/null)" = kube-apiserver ] || continue
        grep '^Cpus_allowed_list' "$entry/status"
        return 0
    done
}

made() {
    for file in /etc/kubernetes/admin.conf /etc/kubernetes/kubelet.conf /etc/kubernetes/pki/ca.crt \
        /etc/kubernetes/bootstrap-kubelet.conf /etc/kubernetes/manifests/kube-apiserver.yaml \
        /etc/kubernetes/manifests/etcd.yaml /var/lib/etcd/member /var/lib/kubelet/config.yaml; do
        [ ! -e "$file" ] || echo "$file"
    done
}

# What can be seen by anybody who connects: the certificates without their keys, as base64.
certificates() {
    date +%s
    while read -r name file; do
        [ -e "/etc/kubernetes/$file" ] || continue
        case $file in
            *.conf) told=$(sed -n 's/^ *client-certificate-data: *//p' "/etc/kubernetes/$file") ;;
            *) told=$(sed -n '/BEGIN CERT/,/END CERT/{/-----/d;p;}' "/etc/kubernetes/$file") ;;
        esac
        printf '%s ' "$name"
        printf '%s' "$told" | tr -d '\n'
        echo
    done <<-END
	admin.conf admin.conf
	super-admin.conf super-admin.conf
	controller-manager.conf controller-manager.conf
	scheduler.conf scheduler.conf
	apiserver pki/apiserver.crt
	apiserver-etcd-client pki/apiserver-etcd-client.crt
	apiserver-kubelet-client pki/apiserver-kubelet-client.crt
	front-proxy-client pki/front-proxy-client.crt
	etcd-healthcheck-client pki/etcd/healthcheck-client.crt
	etcd-peer pki/etcd/peer.crt
	etcd-server pki/etcd/server.crt
	END
}

# What `kubeadm upgrade apply` changes, from its first step to its last one.
made_of() {
    sed -n 's/^ *image: .*:\(v[0-9.]*\)[^:]*$/\1/p' /etc/kubernetes/manifests/kube-*.yaml
    kubectl --kubeconfig /etc/kubernetes/admin.conf --request-timeout=25s --namespace kube-system \
        get configmap/kubeadm-config --output 'jsonpath={.data.ClusterConfiguration}' |
        sed -n 's/^kubernetesVersion: *//p'
    kubectl --kubeconfig /etc/kubernetes/admin.conf --request-timeout=25s --namespace kube-system \
        get daemonset/kube-proxy --ignore-not-found \
        --output 'jsonpath={.spec.template.spec.containers[0].image}' |
        sed -n 's/^.*:\(v[0-9.]*\)[^:]*$/\1/p'
}

socket_there() { if [ -S "$socket" ]; then echo there; else echo absent; fi; }

# What the last phases of `kubeadm init` leave, one `NAMESPACE KIND/NAME...` a line.
last_made() {
    while read -r namespace things; do
        # shellcheck disable=SC2086  # several
        kubectl --kubeconfig /etc/kubernetes/admin.conf --request-timeout=25s \
            --namespace "$namespace" get $things --output name 2>&1 || :
    done <<-END
	kube-system configmap/kubeadm-config daemonset/kube-proxy service/kube-dns
	kube-public configmap/cluster-info rolebinding/kubeadm:bootstrap-signer-clusterinfo
	END
}

# A template, because whole objects are larger than a section: images, managed fields.
nodes() {
    if [ ! -e /etc/kubernetes/admin.conf ]; then
        show nodes /etc/kubernetes/admin.conf
        show server /etc/kubernetes/admin.conf
        return
    fi
    try server 30 kubectl --kubeconfig /etc/kubernetes/admin.conf --request-timeout=25s get --raw=/version
    try nodes 30 kubectl --kubeconfig /etc/kubernetes/admin.conf --request-timeout=25s get nodes \
        --output 'jsonpath={range .items[*]}{.metadata.name}|{.status.nodeInfo.kubeletVersion}|{.status.addresses[?(@.type=="InternalIP")].address}|{.spec.podCIDR}|{.spec.unschedulable}|{.metadata.annotations.kubert-tui/drained}|{range .status.conditions[*]}{.type}={.status} {end}{"\n"}{end}'
}

node() {
    try kubeadm 10 kubeadm version --output=short
    try kubelet 10 kubelet --version
    try unit 5 systemctl show kubelet.service --property=LoadState,ActiveState,UnitFileState
    collect runtime "$socket" socket_there
    show swaps /proc/swaps
    show forwarding /proc/sys/net/ipv4/ip_forward
    show selinux /sys/fs/selinux/enforce
    collect made /etc/kubernetes made
    if [ -e /etc/default/kubelet ]; then
        show configured /etc/default/kubelet
    else
        show configured /etc/sysconfig/kubelet
    fi
    try routes 5 ip route show
    collect running kubelet kubelet_arguments
    show settings /var/lib/kubelet/config.yaml
    show cpu-state /var/lib/kubelet/cpu_manager_state
    collect server-cpus kube-apiserver server_cpus
}

cluster() {
    collect certificates /etc/kubernetes/pki certificates
    nodes
    [ -e /etc/kubernetes/admin.conf ] || return 0
    try api 30 kubectl --kubeconfig /etc/kubernetes/admin.conf --request-timeout=25s get --raw=/readyz
    # Where it does not answer there is no sense in asking on.
    [ "$status" = 0 ] || return 0
    collect last-made 'the API server' last_made
    collect made-of 'the API server' made_of
}

pods() {
    try pods 30 kubectl --kubeconfig /etc/kubernetes/admin.conf --request-timeout=25s get pods \
        --all-namespaces --field-selector "spec.nodeName=$node" \
        --output 'jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name}|{.metadata.ownerReferences[0].kind}|{.metadata.annotations.kubernetes\.io/config\.mirror}{"\n"}{end}'
}

# Without a process of its own: it is asked while something may be measured.
measured() {
    for entry in /proc/[0-9]*/comm; do
        comm=
        { read -r comm <"$entry"; } 2>/dev/null || :
        [ "$comm" != cyclictest ] || return 0
    done
    return 1
}

cpus() {
    begin measured /proc
    if measured; then echo yes; end 0; return; fi
    echo no
    end 0
    show cpu-state /var/lib/kubelet/cpu_manager_state
    collect running kubelet kubelet_arguments
    try version 5 uname -v
    show realtime /sys/kernel/realtime
}

{
    case $part in
        cpus) renice -n 19 -p $$ >/dev/null 2>&1; cpus ;;
        node) node ;;
        lead) node && cluster ;;
        nodes) nodes ;;
        pods) pods ;;
    esac </dev/null
    begin end end
    end 0
} </dev/null
