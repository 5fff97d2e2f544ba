package node

import (
	"bufio"
	"io"
	"strings"

	"github.com/nowserving/nowserving/hub/ledger"
	"github.com/nowserving/nowserving/hub/ticket"
)

// locationEdit asks the directory for a change of a location.
func locationEdit(c ticket.EditLocation) ledger.Request {
	return ledger.Request{Location: ledger.Directory, Command: c, Actor: ticket.Actor{Kind: ticket.ActorSystem, Credential: "test"}}
}

// eventLines reads a stream's lines that say something, until it ends.
func eventLines(r io.Reader) <-chan string {
	out := make(chan string, 1000)
	go func() {
		defer close(out)
		for s := bufio.NewScanner(r); s.Scan(); {
			if line := s.Text(); line != "" && !strings.HasPrefix(line, ":") {
				out <- line
			}
		}
	}()
	return out
}
