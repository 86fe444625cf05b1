# What `kubeadm upgrade apply` brings to a new version, from its first step to its last: static pods,
# its own configuration in the cluster, kube-proxy. Prints a version each.
#     sh -s
set -eu
export KUBECONFIG=/etc/kubernetes/admin.conf
sed -n 's/^ *image: .*:\(v[0-9.]*\)[^:]*$/\1/p' /etc/kubernetes/manifests/kube-*.yaml
kubectl --namespace kube-system get configmap/kubeadm-config \
    --output 'jsonpath={.data.ClusterConfiguration}' | sed -n 's/^kubernetesVersion: *//p'
kubectl --namespace kube-system get daemonset/kube-proxy --ignore-not-found \
    --output 'jsonpath={.spec.template.spec.containers[0].image}' |
    sed -n 's/^.*:\(v[0-9.]*\)[^:]*$/\1/p'
