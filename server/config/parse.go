package config

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"github.com/peterbourgon/ff/v3"
)

// envPrefix begins the name of every variable.
const envPrefix = "NOWSERVING"

// maxFile bounds the config file: a wrong path must not be read for minutes.
const maxFile = 64 << 10

// ErrDone says that -help or -version was asked for and answered.
var ErrDone = errors.New("config: nothing more to do")

func parseSize(s string) (int64, error) {
	n, err := strconv.ParseUint(s, 10, 50)
	return int64(n), err
}

// Parse reads the flags, the environment and the config file. Help and version
// go to out.
func Parse(args []string, out io.Writer) (Config, error) {
	c := Default()
	fs := flag.NewFlagSet("nowserving", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // errors are returned, once
	fs.Usage = func() {}
	version := c.define(fs)
	if err := checkEnvironment(fs, os.Environ()); err != nil {
		return Config{}, err
	}
	err := ff.Parse(fs, args,
		ff.WithEnvVarPrefix(envPrefix),
		ff.WithConfigFileFlag("config"),
		ff.WithConfigFileParser(parseFile))
	switch {
	case errors.Is(err, flag.ErrHelp):
		help(out, fs)
		return Config{}, ErrDone
	case err != nil:
		return Config{}, err
	case *version:
		fmt.Fprintln(out, "nowserving", Version())
		return Config{}, ErrDone
	case fs.NArg() > 0:
		return Config{}, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	return c, c.Validate()
}

// define binds every setting to its flag.
func (c *Config) define(fs *flag.FlagSet) (version *bool) {
	fs.StringVar(&c.Listen, "listen", c.Listen, "`address` to serve HTTP on")
	fs.StringVar(&c.Data, "data", c.Data, "`folder` to keep everything in")
	fs.BoolVar(&c.Demo, "demo", c.Demo, "make a demo branch in an empty data folder; see DATA/demo.json")
	fs.BoolVar(&c.Simulate, "simulate", c.Simulate, "with -demo: let simulated clerks and visitors work there")
	fs.StringVar(&c.LogLevel, "log-level", c.LogLevel, "least important `level` to log: trace, debug, info, warn, error")
	fs.StringVar(&c.LogFormat, "log-format", c.LogFormat, "`form` of the log: json, console, or auto (console on a terminal)")
	fs.StringVar(&c.PublicURL, "public-url", c.PublicURL, "`URL` under which browsers reach this server, if a proxy changes it")
	fs.Var(&c.TrustedProxies, "trusted-proxies", "`networks` whose X-Forwarded headers are believed, with commas")
	fs.BoolVar(&c.AllowPrivateWebhooks, "allow-private-webhooks", c.AllowPrivateWebhooks, "let webhooks go to private addresses")
	fs.StringVar(&c.Speech, "speech", c.Speech, "`program` that speaks like espeak-ng; empty: screens only chime")
	fs.Var(&c.Clamd, "clamd", "`address` of a clamd that looks at uploads: host:port or unix:/path; without one they are not scanned")
	fs.StringVar(&c.MetricsToken, "metrics-token", c.MetricsToken, "`secret` that /metrics wants; empty: only this machine may read it; better in the environment or the file")
	fs.StringVar(&c.TextAccount, "text-account", c.TextAccount, "`account` at the text-message provider; without one, messages are kept and shown")
	fs.StringVar(&c.TextToken, "text-token", c.TextToken, "its `secret`; better in the environment or the file, where it is in no process list")
	fs.StringVar(&c.TextFrom, "text-from", c.TextFrom, "`number` or name that messages come from")
	fs.StringVar(&c.TextURL, "text-url", c.TextURL, "`address` of the provider's API, if it is not the usual one")
	fs.Var(&c.MinFree, "min-free", "refuse commands when less `space` than this is free")
	fs.IntVar(&c.GroupMax, "group-max", c.GroupMax, "most `commands` in one synced transaction")
	fs.Var(&c.MaxBody, "max-body", "largest request body, in `bytes`")
	fs.Float64Var(&c.RequestRate, "request-rate", c.RequestRate, "`requests` a second from one address; 0 is no limit")
	fs.IntVar(&c.RequestBurst, "request-burst", c.RequestBurst, "`requests` at once from one address")
	fs.Float64Var(&c.QueueRate, "queue-rate", c.QueueRate, "requests a `number` a second that a key of the queue API may make")
	fs.IntVar(&c.QueueBurst, "queue-burst", c.QueueBurst, "requests that a key of the queue API may make at once")
	fs.Float64Var(&c.ChatRate, "chat-rate", c.ChatRate, "requests a `number` a second that a department may make of each group of the chat API")
	fs.IntVar(&c.ChatBurst, "chat-burst", c.ChatBurst, "requests that a department may make of each group of the chat API at once")
	fs.IntVar(&c.PendingMax, "pending-max", c.PendingMax, "most `sockets` that have not said who they are")
	fs.IntVar(&c.PendingPerAddress, "pending-per-address", c.PendingPerAddress, "the same from one address, in `sockets`")
	fs.DurationVar(&c.SessionIdle, "session-idle", c.SessionIdle, "end a browser's sign-in after this `time` without use")
	fs.DurationVar(&c.SessionMax, "session-max", c.SessionMax, "end a browser's sign-in after this `time`")
	fs.DurationVar(&c.VisitorTTL, "visitor-ttl", c.VisitorTTL, "`time` for which the link to a ticket works")
	fs.DurationVar(&c.Drain, "drain", c.Drain, "longest `time` that a stop may take")
	fs.String("config", "", "`file` with one name=value on each line")
	return fs.Bool("version", false, "print the version and exit")
}

// flagOnly names the flags that make no sense in a variable or a file.
func flagOnly(name string) bool { return name == "version" }

// checkEnvironment refuses NOWSERVING_ variables that set nothing.
func checkEnvironment(fs *flag.FlagSet, environ []string) error {
	known := map[string]bool{}
	fs.VisitAll(func(f *flag.Flag) { known[envName(f.Name)] = !flagOnly(f.Name) })
	for _, entry := range slices.Sorted(slices.Values(environ)) {
		name, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, envPrefix+"_") && !known[name] {
			return fmt.Errorf("unknown environment variable %s", name)
		}
	}
	return nil
}

func envName(flag string) string {
	return envPrefix + "_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// parseFile reads name=value lines; a name that comes twice is a mistake.
func parseFile(r io.Reader, set func(name, value string) error) error {
	text, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return fmt.Errorf("read config file: %w", err)
	}
	if len(text) > maxFile {
		return fmt.Errorf("config file is larger than %d bytes", maxFile)
	}
	seen := map[string]bool{}
	return ff.EnvParser(strings.NewReader(string(text)), func(name, value string) error {
		if seen[name] {
			return fmt.Errorf("config file sets %q twice", name)
		}
		seen[name] = true
		if flagOnly(name) || name == "config" || strings.HasPrefix(name, envPrefix+"_") {
			return fmt.Errorf("config file: unknown name %q", name)
		}
		return set(name, value)
	})
}

// help writes what can be set, in the order of the alphabet.
func help(out io.Writer, fs *flag.FlagSet) {
	fmt.Fprint(out, `nowserving: one hub for waiting lines and conversations.

Usage: nowserving [flags]
       nowserving backup | restore | verify | collect [flags]; each knows -help

Every flag is also a variable (-log-level is NOWSERVING_LOG_LEVEL) and a line of
the config file (log-level=debug). Flags win over variables, variables over the
file. An unknown name is an error.

Flags:
`)
	fs.VisitAll(func(f *flag.Flag) {
		kind, usage := flag.UnquoteUsage(f)
		line := "  -" + f.Name
		if kind != "" {
			line += " " + kind
		}
		if f.DefValue != "" && f.DefValue != "false" {
			usage += " (default " + f.DefValue + ")"
		}
		fmt.Fprintf(out, "%s\n        %s\n", line, usage)
	})
}

// Version is the module's version, or the commit it was built from.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && info.Main.Version == "(devel)" {
			return s.Value[:min(12, len(s.Value))]
		}
	}
	return info.Main.Version
}
