"""What a cluster leaves on a host, told by a script that runs there: see `LOOK`."""

LOOK = r"""
import json, os, pathlib, subprocess
def told(*argv):
    return subprocess.run(argv, capture_output=True, text=True).stdout.splitlines()
processes = []
for entry in pathlib.Path("/proc").glob("[0-9]*"):
    try:
        words = (entry / "cmdline").read_bytes().split(b"\0")
        parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
    except OSError:
        continue
    # Kernel threads, this look, log-ins and what systemd starts for them come and go.
    name = os.fsdecode(words[0]).split("/")[-1]
    if name and int(entry.name) != os.getpid() and not name.startswith(
            ("sshd:", "(sd-pam", "sftp-server", "env", "python3", "systemd", "/lib/systemd")):
        processes.append(name)
mounts = [line.split()[1] for line in open("/proc/mounts")]
groups = [str(path) for path in pathlib.Path("/sys/fs/cgroup").glob("*/**/")
          if "kubepods" in str(path) or "cri-containerd" in str(path) or "kubelet" in path.name]
files = [str(path) for top in ("/etc/cni/net.d", "/etc/kubernetes", "/var/lib/etcd",
         "/var/lib/kubelet", "/var/lib/cni", "/run/flannel", "/var/log/pods",
         "/var/log/containers", "/run/netns", "/root/.kube")
         for path in pathlib.Path(top).rglob("*") if not path.is_dir()]
rules = [line for line in told("iptables-save") if line.startswith(("-A", ":")) and
         ("KUBE" in line or "CNI" in line)]
print(json.dumps({
    "processes": sorted(processes),
    "mounts": sorted(mounts),
    "cgroups": sorted(groups),
    "networks": sorted(told("ip", "netns", "list")),
    "links": sorted(line.split()[1] for line in told("ip", "-o", "link")),
    "routes": sorted(told("ip", "route")),
    "files": sorted(files),
    "rules": sorted(rules),
    "images": sorted(told("ctr", "-n", "k8s.io", "images", "list", "-q")),
    "containers": sorted(told("ctr", "-n", "k8s.io", "containers", "list", "-q")),
    "snapshots": sorted(line.split()[0] for line in
                        told("ctr", "-n", "k8s.io", "snapshots", "list")[1:]),
}))
"""
"""Prints a JSON object of sorted lists of texts, by what they are."""
