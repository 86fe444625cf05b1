// A small `crictl` for the tests' hosts: Debian 12 has no cri-tools, and kubeadm asks for it.
//
// It knows what kubeadm calls (info, pods, stopp, rmp, pull, inspecti), and what people look with
// (version, images, rmi, ps). Built inside Kubernetes' own source tree, against its vendored API.
// Exit status 1 and one line on stderr for any failure, as with the real one.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1alpha2"
	"k8s.io/kubernetes/pkg/kubelet/cri/remote"
)

const usage = "usage: crictl [-r SOCKET] [-i SOCKET] version|info|pods [-q]|stopp ID...|rmp [-f] ID...|" +
	"ps [-a] [-q]|images [-q]|inspecti IMAGE...|pull IMAGE|rmi IMAGE..."

func main() {
	socket := "unix:///run/containerd/containerd.sock"
	arguments, options := []string{}, map[string]bool{}
	for rest := os.Args[1:]; len(rest) > 0; rest = rest[1:] {
		switch name, value, given := strings.Cut(rest[0], "="); {
		case !strings.HasPrefix(name, "-"):
			arguments = append(arguments, rest[0])
		case name == "-r" || name == "--runtime-endpoint" || name == "-i" || name == "--image-endpoint":
			if !given {
				if len(rest) < 2 {
					fail(usage)
				}
				rest = rest[1:]
				value = rest[0]
			}
			socket = value
		default:
			options[strings.TrimLeft(name, "-")] = true
		}
	}
	if len(arguments) == 0 {
		fail(usage)
	}
	if strings.HasPrefix(socket, "/") {
		socket = "unix://" + socket
	}
	if err := run(socket, arguments[0], arguments[1:], options); err != nil {
		fail(err.Error())
	}
}

func run(socket, command string, names []string, options map[string]bool) error {
	runtime, err := remote.NewRemoteRuntimeService(socket, 2*time.Minute)
	if err != nil {
		return err
	}
	images, err := remote.NewRemoteImageService(socket, 2*time.Minute)
	if err != nil {
		return err
	}
	switch command {
	case "version":
		return show(runtime.Version(""))
	case "info":
		return show(runtime.Status())
	case "pods":
		pods, err := runtime.ListPodSandbox(nil)
		for _, pod := range pods {
			row(options, pod.Id, pod.State.String(), pod.Metadata.Namespace+"/"+pod.Metadata.Name)
		}
		return err
	case "ps":
		containers, err := runtime.ListContainers(nil)
		for _, one := range containers {
			if options["a"] || options["all"] || one.State == cri.ContainerState_CONTAINER_RUNNING {
				row(options, one.Id, one.State.String(), one.Metadata.Name)
			}
		}
		return err
	case "stopp":
		return each(names, runtime.StopPodSandbox)
	case "rmp":
		return each(names, func(name string) error {
			if options["f"] || options["force"] {
				if err := runtime.StopPodSandbox(name); err != nil {
					return err
				}
			}
			return runtime.RemovePodSandbox(name)
		})
	case "images":
		all, err := images.ListImages(nil)
		for _, one := range all {
			row(options, one.Id, fmt.Sprint(one.Size_), strings.Join(one.RepoTags, " "))
		}
		return err
	case "inspecti":
		return each(names, func(name string) error {
			image, err := images.ImageStatus(&cri.ImageSpec{Image: name})
			if err == nil && image == nil {
				err = fmt.Errorf("no such image %q present", name)
			}
			if err != nil {
				return err
			}
			return show(image, nil)
		})
	case "pull":
		return each(names, func(name string) error {
			_, err := images.PullImage(&cri.ImageSpec{Image: name}, nil, nil)
			return err
		})
	case "rmi":
		return each(names, func(name string) error {
			return images.RemoveImage(&cri.ImageSpec{Image: name})
		})
	}
	return fmt.Errorf("%s", usage)
}

func each(names []string, do func(string) error) error {
	for _, name := range names {
		if err := do(name); err != nil {
			return err
		}
	}
	return nil
}

func row(options map[string]bool, id string, rest ...string) {
	if options["q"] || options["quiet"] {
		fmt.Println(id)
	} else {
		fmt.Println(id + "\t" + strings.Join(rest, "\t"))
	}
}

func show(what interface{}, err error) error {
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(what, "", "  ")
	fmt.Println(string(text))
	return err
}

func fail(reason string) {
	fmt.Fprintln(os.Stderr, "crictl: "+reason)
	os.Exit(1)
}
