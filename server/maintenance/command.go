package maintenance

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/nowserving/nowserving/store"
)

// BackupPath and CollectPath are the running server's doors for administrators.
const (
	BackupPath  = "/hub/v1/backup"
	CollectPath = "/hub/v1/collect"
)

// TokenVariable holds the token for a running server; a flag would show it to
// everybody who lists processes.
const TokenVariable = "NOWSERVING_TOKEN"

// Env is what a command has around it.
type Env struct {
	Stdout, Stderr io.Writer
	Clock          func() time.Time
	Log            zerolog.Logger
	Getenv         func(string) string
	// Client speaks to a running server; nil is the default one.
	Client *http.Client
}

// Commands says what each subcommand is for, in the order of a help text.
func Commands() [][2]string {
	return [][2]string{
		{"backup", "write everything into one file; also from a running server"},
		{"restore", "make a data folder of a backup"},
		{"verify", "check every invariant of a data folder or a backup"},
		{"collect", "make erased bytes leave the disk now"},
	}
}

// Is reports whether a first argument names a subcommand.
func Is(name string) bool {
	for _, c := range Commands() {
		if c[0] == name {
			return true
		}
	}
	return false
}

// usage says that a command line cannot be meant.
type usage struct{ text string }

func (u usage) Error() string { return u.text }

// Run carries out a subcommand and returns the exit code: 2 for a command line
// that cannot work, 1 for what went wrong or was found wrong.
func Run(ctx context.Context, args []string, env Env) int {
	c := &command{Env: env, ctx: ctx, name: args[0]}
	c.fs = flag.NewFlagSet("nowserving "+c.name, flag.ContinueOnError)
	c.fs.SetOutput(env.Stderr)
	run := map[string]func([]string) error{
		"backup": c.backup, "restore": c.restore, "verify": c.verify, "collect": c.collect,
	}[c.name]
	err := run(args[1:])
	var bad usage
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.As(err, &bad):
		fmt.Fprintf(env.Stderr, "nowserving %s: %s\n", c.name, bad.text)
		return 2
	}
	fmt.Fprintf(env.Stderr, "nowserving %s: %v\n", c.name, err)
	return 1
}

type command struct {
	Env
	ctx  context.Context
	name string
	fs   *flag.FlagSet
}

// parse reads the flags and wants so many arguments after them.
func (c *command) parse(args []string, want int, what string) error {
	if err := c.fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return usage{err.Error()}
	}
	if c.fs.NArg() != want {
		return usage{"want " + what}
	}
	return nil
}

func (c *command) backup(args []string) error {
	data := c.fs.String("data", "./data", "data `folder` of a server that does not run")
	server := c.fs.String("url", "", "`address` of a running server instead; needs an administrator's token in "+TokenVariable)
	out := c.fs.String("out", "", "`file` to write; - is standard output")
	if err := c.parse(args, 0, "no argument"); err != nil {
		return err
	}
	if *out == "" {
		return usage{"-out is needed"}
	}
	return c.into(*out, func(w io.Writer) error {
		if *server != "" {
			return c.ask(http.MethodGet, *server, BackupPath, w)
		}
		st, err := c.open(*data)
		if err != nil {
			return err
		}
		return errors.Join(Write(c.ctx, w, st, *data, c.Clock()), st.Close())
	})
}

// open opens a data folder that no server has open.
func (c *command) open(data string) (*store.Badger, error) {
	dir := filepath.Join(data, StoreFolder)
	if _, err := os.Stat(dir); err != nil { // opening would make it
		return nil, fmt.Errorf("there is no data in %s", data)
	}
	st, err := store.Open(store.Options{Dir: dir, Clock: c.Clock, Log: c.Log})
	if errors.Is(err, store.ErrLocked) {
		return nil, fmt.Errorf("a server is running on %s: use -url, or stop it", data)
	}
	return st, err
}

// into writes a file whole or not at all.
func (c *command) into(path string, write func(io.Writer) error) error {
	if path == "-" {
		return write(c.Stdout)
	}
	f, err := os.OpenFile(path+".part", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(path+".part", path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(path+".part"))
	}
	fmt.Fprintf(c.Stderr, "backup written to %s\n", path)
	return nil
}

// ask lets a running server do it.
func (c *command) ask(method, server, path string, w io.Writer) error {
	u, err := url.Parse(server)
	if err != nil || u.Host == "" {
		return usage{"-url is http(s)://host"}
	}
	token := c.Getenv(TokenVariable)
	if token == "" {
		return usage{"an administrator's token is needed in " + TokenVariable}
	}
	req, err := http.NewRequestWithContext(c.ctx, method, strings.TrimSuffix(server, "/")+path, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	client := c.Client
	if client == nil {
		client = http.DefaultClient
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 4096))
		return fmt.Errorf("the server answered %s: %s", res.Status, strings.TrimSpace(string(text)))
	}
	_, err = io.Copy(w, res.Body)
	return err
}

func (c *command) restore(args []string) error {
	data := c.fs.String("data", "./data", "`folder` to make; it must not be there, or be empty")
	if err := c.parse(args, 1, "one argument: the backup file"); err != nil {
		return err
	}
	f, err := os.Open(c.fs.Arg(0))
	if err != nil {
		return err
	}
	defer f.Close()
	if err := Restore(f, *data, c.Clock, c.Log); err != nil {
		return err
	}
	return c.report(*data, *data)
}

func (c *command) verify(args []string) error {
	data := c.fs.String("data", "./data", "data `folder` of a server that does not run")
	file := c.fs.String("backup", "", "check this backup `file` instead, by restoring it aside")
	if err := c.parse(args, 0, "no argument"); err != nil {
		return err
	}
	if *file == "" {
		return c.report(*data, *data)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(*file), ".verify-") // where there is room for a backup
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	f, err := os.Open(*file)
	if err != nil {
		return err
	}
	defer f.Close()
	aside := filepath.Join(tmp, "data")
	if err := Restore(f, aside, c.Clock, c.Log); err != nil {
		return err
	}
	return c.report(aside, *file)
}

// report verifies and says what was found.
func (c *command) report(data, name string) error {
	if _, err := os.Stat(filepath.Join(data, StoreFolder)); err != nil {
		return fmt.Errorf("there is no data in %s", data)
	}
	rep, err := Verify(c.ctx, data, c.Clock, c.Log)
	if errors.Is(err, store.ErrLocked) {
		return fmt.Errorf("a server is running on %s: stop it, or verify a backup", data)
	}
	if err != nil {
		return err
	}
	for _, p := range rep.Problems {
		fmt.Fprintln(c.Stdout, p)
	}
	if n := len(rep.Problems); n > 0 {
		return fmt.Errorf("%s: %d problems", name, n)
	}
	fmt.Fprintf(c.Stdout, "%s is in order: %d journals, %d records, %d tickets\n", name, rep.Journals, rep.Records, rep.Tickets)
	return nil
}

func (c *command) collect(args []string) error {
	data := c.fs.String("data", "./data", "data `folder` of a server that does not run")
	server := c.fs.String("url", "", "`address` of a running server instead; needs an administrator's token in "+TokenVariable)
	if err := c.parse(args, 0, "no argument"); err != nil {
		return err
	}
	if *server != "" {
		return c.ask(http.MethodPost, *server, CollectPath, io.Discard)
	}
	st, err := c.open(*data)
	if err != nil {
		return err
	}
	return errors.Join(st.Collect(), st.Close())
}
