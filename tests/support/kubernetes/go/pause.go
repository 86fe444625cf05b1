// The container that holds a pod's namespaces: it waits to be told to end, and buries orphans.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGCHLD)
	for one := range signals {
		if one != syscall.SIGCHLD {
			return
		}
		for {
			if process, _ := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); process <= 0 {
				break
			}
		}
	}
}
