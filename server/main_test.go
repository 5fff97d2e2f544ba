package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/nowserving/nowserving/server/chatapi"
	"github.com/nowserving/nowserving/server/config"
)

func TestSettingsThatCannotWork(t *testing.T) {
	for setting, value := range map[string]string{"clamd": "nowhere", "metrics-token": "tooshort"} {
		var out, err bytes.Buffer
		if code := run(t.Context(), []string{"-" + setting, value, "-data", t.TempDir()}, &out, &err); code != 2 || !strings.Contains(err.String(), setting) {
			t.Errorf("%s: %d %s", setting, code, &err)
		}
	}
}

func TestScannerOfASetting(t *testing.T) {
	for setting, want := range map[string]chatapi.Scanner{
		"": nil, "127.0.0.1:3310": chatapi.Clamd{Network: "tcp", Addr: "127.0.0.1:3310"}, "unix:/run/clamd": chatapi.Clamd{Network: "unix", Addr: "/run/clamd"},
	} {
		var at config.Peer
		if err := at.Set(setting); err != nil {
			t.Fatal(err)
		}
		if got := scanner(at); got != want {
			t.Errorf("%q: %+v", setting, got)
		}
	}
}
