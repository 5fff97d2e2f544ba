package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"
	_ "time/tzdata" // a small machine behind a screen may have no time zones

	"github.com/rs/zerolog"
	"golang.org/x/term"

	"github.com/nowserving/nowserving/hub/client"
)

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	code := run(ctx, stop, os.Args[1:], os.Environ(), streams{os.Stdin, os.Stdout, os.Stderr})
	stop()
	os.Exit(code)
}

// streams are the program's three. They are files where a terminal is possible.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// run is the program. stop ends ctx, like a signal does.
func run(ctx context.Context, stop func(), args, environ []string, std streams) int {
	cfg, err := parseConfig(args, environ, std.err)
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	if err != nil {
		fmt.Fprintln(std.err, "display:", err)
		return exitUsage
	}
	if err := present(ctx, stop, cfg, std); err != nil {
		fmt.Fprintln(std.err, "display:", clean(explain(err)))
		return exitFailed
	}
	return exitOK
}

// explain says what to do about the end, where that is known.
func explain(err error) string {
	var final *client.FinalError
	if errors.As(err, &final) {
		return fmt.Sprintf("the hub does not accept this screen's token: pair it again (%v)", final)
	}
	return err.Error()
}

// present sets up the output and shows the board until ctx ends.
func present(ctx context.Context, stop func(), cfg config, std streams) error {
	log := logger(std.err, cfg.json)
	if cfg.json {
		return start(ctx, cfg, log, &jsonLines{w: std.out}, nil)
	}
	size, err := sizer(cfg, std.out)
	if err != nil {
		return err
	}
	t := &terminal{w: std.out, size: size}
	restore, err := rawInput(std.in, stop)
	if err != nil {
		return err
	}
	defer restore()
	if err := t.enter(); err != nil {
		return err
	}
	defer func() { _ = t.leave() }()
	resized := make(chan struct{}, 1)
	defer watchSize(ctx, resized)()
	return start(ctx, cfg, log, t, resized)
}

// start wires the clock, the dice and the client to the app and runs it.
func start(ctx context.Context, cfg config, log zerolog.Logger, out output, resized <-chan struct{}) error {
	a := newApp(cfg, time.Now, newZones(), log, out)
	c, err := client.New(client.Config{
		URL: cfg.server, Name: "display/1", Token: client.Token(cfg.token),
		Handler: a, Now: time.Now, Random: rand.Float64,
	})
	if err != nil {
		return err
	}
	a.client = c
	return a.run(ctx, resized)
}

// logger writes to standard error, but never across a painted screen.
func logger(w io.Writer, lines bool) zerolog.Logger {
	if isTerminal(w) {
		if !lines {
			return zerolog.Nop()
		}
		w = zerolog.ConsoleWriter{Out: w}
	}
	return zerolog.New(w).With().Timestamp().Logger()
}

// newZones finds time zones by name and remembers the last one, as every
// publication asks for it.
func newZones() func(string) *time.Location {
	last, zone := "", (*time.Location)(nil)
	return func(name string) *time.Location {
		if name == last {
			return zone
		}
		last, zone = name, nil
		if z, err := time.LoadLocation(name); err == nil {
			zone = z
		}
		return zone
	}
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// sizer asks the terminal for its size, unless the configuration says it.
func sizer(cfg config, out io.Writer) (func() (int, int), error) {
	if cfg.w > 0 {
		return func() (int, int) { return cfg.w, cfg.h }, nil
	}
	f, ok := out.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil, errors.New("the output is not a terminal: use -json, or -size COLUMNSxROWS")
	}
	return func() (int, int) {
		w, h, err := term.GetSize(int(f.Fd()))
		if err != nil || w < 1 || h < 1 {
			return 80, 24
		}
		return w, h
	}, nil
}

// rawInput keeps typed keys off the screen. Ctrl-C and q then end the program
// here, as a raw terminal sends no signal for them.
func rawInput(in io.Reader, stop func()) (restore func(), err error) {
	f, ok := in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return func() {}, nil
	}
	old, err := term.MakeRaw(int(f.Fd()))
	if err != nil {
		return nil, fmt.Errorf("prepare the terminal: %w", err)
	}
	// Ends with the process: a read of a terminal cannot be interrupted.
	go func() {
		key := make([]byte, 1)
		for {
			n, err := f.Read(key)
			if err != nil {
				return // the keyboard was unplugged; the screen goes on
			}
			if n == 1 && (key[0] == 'q' || key[0] == 0x03) {
				stop()
			}
		}
	}()
	return func() { _ = term.Restore(int(f.Fd()), old) }, nil
}

// watchSize pokes resized when the terminal changes its size, until the
// function that it returns is called.
func watchSize(ctx context.Context, resized chan<- struct{}) func() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGWINCH)
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-signals:
				select {
				case resized <- struct{}{}:
				default:
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() { signal.Stop(signals); cancel(); <-done }
}
