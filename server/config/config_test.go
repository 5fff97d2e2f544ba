package config

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files")

// clean takes NOWSERVING_ variables of the machine out of the test.
func clean(t *testing.T) {
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, envPrefix+"_") {
			t.Setenv(name, "") // restores it afterwards
			if err := os.Unsetenv(name); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "nowserving.conf")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDefaultsAreValid(t *testing.T) {
	clean(t)
	c, err := Parse(nil, &bytes.Buffer{})
	if err != nil || !reflect.DeepEqual(c, Default()) {
		t.Fatalf("%+v, %v", c, err)
	}
}

func TestPrecedence(t *testing.T) {
	clean(t)
	path := file(t, "# a comment\n\nlog-level = debug\ngroup-max=7\ndata=/from/file\ndemo=true\nmin-free=32MiB\n")
	t.Setenv("NOWSERVING_CONFIG", path)
	t.Setenv("NOWSERVING_GROUP_MAX", "8")
	t.Setenv("NOWSERVING_DATA", "/from/env")
	t.Setenv("NOWSERVING_TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.7")
	c, err := Parse([]string{"-data", "/from/flag", "-session-idle=1h"}, &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Data, want.GroupMax, want.LogLevel, want.Demo, want.MinFree = "/from/flag", 8, "debug", true, 32<<20
	want.SessionIdle = time.Hour
	if err := want.TrustedProxies.Set("10.0.0.0/8,192.0.2.7/32"); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(c, want) {
		t.Fatalf("\n got %+v\nwant %+v", c, want)
	}
}

func TestMistakesAreNamed(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		env  [2]string
		file string
		want string
	}{
		"unknown flag":      {args: []string{"-lisen", ":1"}, want: "lisen"},
		"unknown variable":  {env: [2]string{"NOWSERVING_LISEN", ":1"}, want: "NOWSERVING_LISEN"},
		"lower-case":        {env: [2]string{"NOWSERVING_listen", ":1"}, want: "NOWSERVING_listen"},
		"version by env":    {env: [2]string{"NOWSERVING_VERSION", "1"}, want: "NOWSERVING_VERSION"},
		"unknown in file":   {file: "lisen=:1\n", want: "lisen"},
		"twice in file":     {file: "listen=:1\nlisten=:2\n", want: "listen"},
		"config in file":    {file: "config=/other\n", want: "config"},
		"variable in file":  {file: "NOWSERVING_LISTEN=:1\n", want: "NOWSERVING_LISTEN"},
		"bad line":          {file: "listen\n", want: "listen"},
		"huge file":         {file: strings.Repeat("#", maxFile+1), want: "larger"},
		"missing file":      {args: []string{"-config", "/does/not/exist"}, want: "/does/not/exist"},
		"argument":          {args: []string{"serve"}, want: "serve"},
		"bad value in env":  {env: [2]string{"NOWSERVING_GROUP_MAX", "many"}, want: "NOWSERVING_GROUP_MAX"},
		"bad value in file": {file: "drain=soon\n", want: "drain"},
		"bad value by flag": {args: []string{"-min-free", "lots"}, want: "min-free"},
		"too small":         {args: []string{"-min-free", "1"}, want: "min-free"},
		"too large":         {args: []string{"-min-free", "99999999GiB"}, want: "min-free"},
		"simulate alone":    {args: []string{"-simulate"}, want: "simulate"},
		"idle over max":     {args: []string{"-session-idle", "200h"}, want: "session-idle"},
		"proxy":             {args: []string{"-trusted-proxies", "everybody"}, want: "trusted-proxies"},
		"listen":            {args: []string{"-listen", "8080"}, want: "listen"},
		"listen no port":    {args: []string{"-listen", "localhost:"}, want: "listen"},
		"public URL path":   {args: []string{"-public-url", "https://a.example/x"}, want: "public-url"},
		"public URL user":   {args: []string{"-public-url", "https://u:p@a.example"}, want: "public-url"},
		"public URL scheme": {args: []string{"-public-url", "ftp://a.example"}, want: "public-url"},
		"level":             {args: []string{"-log-level", "loud"}, want: "log-level"},
		"format":            {args: []string{"-log-format", "xml"}, want: "log-format"},
		"empty data":        {args: []string{"-data", ""}, want: "data"},
		"scanner nowhere":   {args: []string{"-clamd", "clamd"}, want: "clamd"},
		"scanner by env":    {env: [2]string{"NOWSERVING_CLAMD", "unix:clamd.ctl"}, want: "NOWSERVING_CLAMD"},
		"scanner in file":   {file: "clamd=tcp://127.0.0.1:3310\n", want: "clamd"},
		"short secret":      {env: [2]string{"NOWSERVING_METRICS_TOKEN", "short"}, want: "metrics-token"},
		"secret of spaces":  {args: []string{"-metrics-token", "    sixteen     s"}, want: "metrics-token"},
		"rate not a number": {args: []string{"-request-rate", "NaN"}, want: "request-rate"},
	} {
		t.Run(name, func(t *testing.T) {
			clean(t)
			if c.env[0] != "" {
				t.Setenv(c.env[0], c.env[1])
			}
			if c.file != "" {
				c.args = append(c.args, "-config", file(t, c.file))
			}
			_, err := Parse(c.args, &bytes.Buffer{})
			if err == nil || errors.Is(err, ErrDone) || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%v, want an error that names %s", err, c.want)
			}
		})
	}
}

// Every setting has a line in Validate or cannot be wrong.
func TestValidateKnowsEveryFlag(t *testing.T) {
	free := map[string]bool{"demo": true, "allow-private-webhooks": true, "trusted-proxies": true, "config": true, "version": true, "speech": true, "clamd": true}
	wrong := map[string]func(*Config){
		"listen": func(c *Config) { c.Listen = "" }, "data": func(c *Config) { c.Data = "" },
		"simulate":  func(c *Config) { c.Simulate = true },
		"log-level": func(c *Config) { c.LogLevel = "" }, "log-format": func(c *Config) { c.LogFormat = "" },
		"public-url": func(c *Config) { c.PublicURL = "x" }, "min-free": func(c *Config) { c.MinFree = 0 },
		"group-max": func(c *Config) { c.GroupMax = 0 }, "max-body": func(c *Config) { c.MaxBody = 0 },
		"request-rate": func(c *Config) { c.RequestRate = -1 }, "request-burst": func(c *Config) { c.RequestBurst = 0 },
		"queue-rate": func(c *Config) { c.QueueRate = 0 }, "queue-burst": func(c *Config) { c.QueueBurst = 0 },
		"chat-rate": func(c *Config) { c.ChatRate = 0 }, "chat-burst": func(c *Config) { c.ChatBurst = 0 },
		"metrics-token": func(c *Config) { c.MetricsToken = "fifteen-letters" },
		"text-account":  func(c *Config) { c.TextAccount = "a" }, "text-token": func(c *Config) { c.TextToken = "a" },
		"text-from": func(c *Config) { c.TextFrom = "a" }, "text-url": func(c *Config) { c.TextURL = "a" },
		"pending-max": func(c *Config) { c.PendingMax = 0 }, "pending-per-address": func(c *Config) { c.PendingPerAddress = 0 },
		"session-idle": func(c *Config) { c.SessionIdle = 0 }, "session-max": func(c *Config) { c.SessionMax = 0 },
		"visitor-ttl": func(c *Config) { c.VisitorTTL = 0 }, "drain": func(c *Config) { c.Drain = 0 },
	}
	c := Default()
	fs := flag.NewFlagSet("", flag.ContinueOnError)
	c.define(fs)
	fs.VisitAll(func(f *flag.Flag) {
		if free[f.Name] {
			return
		}
		c, spoil := Default(), wrong[f.Name]
		if spoil == nil {
			t.Errorf("%s: no test of its bounds", f.Name)
			return
		}
		spoil(&c)
		if err := c.Validate(); err == nil || !strings.HasPrefix(err.Error(), f.Name+" ") {
			t.Errorf("%s out of bounds: %v", f.Name, err)
		}
	})
}

func TestHelpGolden(t *testing.T) {
	clean(t)
	var out bytes.Buffer
	if _, err := Parse([]string{"-help"}, &out); !errors.Is(err, ErrDone) {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "help.golden")
	if *update {
		if err := os.WriteFile(golden, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), want) {
		t.Errorf("the help text changed; -update writes it, after a look at:\n%s", out.Bytes())
	}
}

func TestVersion(t *testing.T) {
	clean(t)
	var out bytes.Buffer
	if _, err := Parse([]string{"-version"}, &out); !errors.Is(err, ErrDone) {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out.String(), "nowserving ") || len(out.String()) < len("nowserving x\n") {
		t.Errorf("printed %q", out.String())
	}
}

func TestBytesRoundTrip(t *testing.T) {
	for text, want := range map[string]Bytes{"0": 0, "1": 1, "1023": 1023, "64KiB": 64 << 10, "1MiB": 1 << 20, "3GiB": 3 << 30} {
		var b Bytes
		if err := b.Set(text); err != nil || b != want || b.String() != text {
			t.Errorf("%s: %d, %v, written %s", text, b, err, b.String())
		}
	}
	for _, text := range []string{"", "-1", "MiB", "1.5MiB", "1 MiB", "1MB", "0x10", "99999999999999999999"} {
		var b Bytes
		if err := b.Set(text); err == nil {
			t.Errorf("%q was read as %d", text, b)
		}
	}
}

func TestPeerRoundTrip(t *testing.T) {
	for text, want := range map[string]Peer{
		"": {}, "unix:/run/clamav/clamd.ctl": {"unix", "/run/clamav/clamd.ctl"}, "127.0.0.1:3310": {"tcp", "127.0.0.1:3310"},
		"[::1]:3310": {"tcp", "[::1]:3310"}, "scanner.example:1": {"tcp", "scanner.example:1"},
	} {
		p := Peer{"tcp", "before:1"}
		if err := p.Set(text); err != nil || p != want || p.String() != text {
			t.Errorf("%s: %+v, %v, written %s", text, p, err, p.String())
		}
	}
	for _, text := range []string{
		"unix:", "unix:clamd.ctl", "unix:/" + strings.Repeat("x", maxSocketPath), "/run/clamd.ctl", "clamd", ":3310", "clamd:", "clamd:0", "clamd:65536", "clamd:x", "::1:3310", "tcp:a:1",
	} {
		var p Peer
		if err := p.Set(text); err == nil {
			t.Errorf("%q was read as %+v", text, p)
		}
	}
}

// A secret that cannot be used is not repeated in the error, which is printed.
func TestBadSecretIsNotPrinted(t *testing.T) {
	clean(t)
	t.Setenv("NOWSERVING_METRICS_TOKEN", "opensesame")
	if _, err := Parse(nil, &bytes.Buffer{}); err == nil || strings.Contains(err.Error(), "opensesame") {
		t.Error(err)
	}
}

func FuzzConfigFile(f *testing.F) {
	f.Add("log-level=debug\n# x\ngroup-max = 7")
	f.Add("a=\"b\\n\"")
	f.Add("listen")
	f.Fuzz(func(t *testing.T, text string) {
		seen := map[string]bool{}
		err := parseFile(strings.NewReader(text), func(name, value string) error {
			if name == "" || value == "" && !strings.Contains(text, `"`) && !strings.Contains(text, "`") || seen[name] {
				t.Fatalf("%q=%q", name, value)
			}
			seen[name] = true
			return nil
		})
		if err == nil && len(text) > maxFile {
			t.Fatal("took a huge file")
		}
	})
}
