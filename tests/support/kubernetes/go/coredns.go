// Stands in for CoreDNS, which Debian does not have: alive, ready, and answering every question
// with "not implemented", so that who asks is told at once. Names are not resolved in the tests'
// clusters.
package main

import (
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

const notImplemented = 4

func main() {
	// The first process of a container is not ended by signals that it does not ask for.
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-asked
		os.Exit(0)
	}()
	for _, address := range []string{":8080", ":8181"} {
		go func(address string) {
			log.Fatal(http.ListenAndServe(address, http.HandlerFunc(
				func(answer http.ResponseWriter, _ *http.Request) { answer.Write([]byte("OK")) })))
		}(address)
	}
	questions, err := net.ListenPacket("udp", ":53")
	if err != nil {
		log.Fatal(err)
	}
	packet := make([]byte, 512)
	for {
		length, from, err := questions.ReadFrom(packet)
		if err != nil {
			log.Fatal(err)
		}
		if length >= 12 {
			packet[2] |= 0x80 // an answer
			packet[3] = notImplemented
			questions.WriteTo(packet[:length], from)
		}
	}
}
