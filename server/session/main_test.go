package session

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if addr := os.Getenv(readerEnv); addr != "" {
		os.Exit(readers(addr)) // the other end of a benchmark
	}
	goleak.VerifyTestMain(m)
}
