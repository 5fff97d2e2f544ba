// Command nowserving is the server: queue and conversation tickets, kept in one
// durable journal and pushed to every screen.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"
	_ "time/tzdata" // a location's zone must not depend on the machine

	"github.com/nowserving/nowserving/server/chatapi"
	"github.com/nowserving/nowserving/server/config"
	"github.com/nowserving/nowserving/server/maintenance"
	"github.com/nowserving/nowserving/server/node"
	"github.com/nowserving/nowserving/server/ops"
	"github.com/nowserving/nowserving/server/ops/limit"
	"github.com/nowserving/nowserving/server/session"
)

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(ops.Garbage)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is main with its surroundings passed in; it returns the exit code: 2 for
// settings that cannot work, 1 for anything that went wrong later.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && maintenance.Is(args[0]) {
		return maintain(ctx, args, stdout, stderr)
	}
	c, err := config.Parse(args, stdout)
	if errors.Is(err, config.ErrDone) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(stderr, "nowserving:", err)
		return 2
	}
	log, err := ops.NewLogger(stderr, c.LogLevel, c.LogFormat, time.Now)
	if err != nil {
		fmt.Fprintln(stderr, "nowserving:", err)
		return 2
	}
	limits := session.DefaultLimits()
	limits.Pending, limits.PendingPerIP = c.PendingMax, c.PendingPerAddress
	n, err := node.Build(ctx, node.Options{
		Listen: c.Listen, Data: c.Data, PublicURL: c.PublicURL, Demo: c.Demo, Simulate: c.Simulate,
		MinFree: uint64(c.MinFree), GroupMax: c.GroupMax, MaxBody: int(c.MaxBody),
		RequestRate: c.RequestRate, RequestBurst: c.RequestBurst,
		AllowPrivateWebhooks: c.AllowPrivateWebhooks,
		Texts:                node.TextProvider{Base: c.TextURL, Account: c.TextAccount, Token: c.TextToken, From: c.TextFrom},
		QueueRate:            limit.Rate{PerSecond: c.QueueRate, Burst: c.QueueBurst}, Drain: c.Drain, Limits: limits,
		ChatRate: limit.Rate{PerSecond: c.ChatRate, Burst: c.ChatBurst},
		Proxies:  ops.Proxies{Trusted: c.TrustedProxies}, VisitorTTL: c.VisitorTTL, SessionIdle: c.SessionIdle, SessionMax: c.SessionMax,
		Clock: time.Now, Log: log, Speech: c.Speech, Scanner: scanner(c.Clamd), MetricsToken: c.MetricsToken,
	})
	if err == nil {
		if os.Getenv("GOGC") == "" {
			go ops.CollectByNeed(ctx, n.Commands)
		}
		debug.FreeOSMemory() // opening the store takes twice what keeping it open does
		go ops.GiveMemoryBack(ctx)
		err = n.Run(ctx)
	}
	if err != nil {
		log.Error().Err(err).Msg("stopped")
		return 1
	}
	log.Info().Msg("stopped")
	return 0
}

// scanner is who looks at uploads: nil when there is no daemon for it.
func scanner(at config.Peer) chatapi.Scanner {
	if at == (config.Peer{}) {
		return nil
	}
	return chatapi.Clamd{Network: at.Network, Addr: at.Addr}
}

// maintain runs a subcommand; only what goes wrong is logged beside its answer.
func maintain(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	log, err := ops.NewLogger(stderr, "warn", "auto", time.Now)
	if err != nil {
		fmt.Fprintln(stderr, "nowserving:", err)
		return 2
	}
	return maintenance.Run(ctx, args, maintenance.Env{
		Stdout: stdout, Stderr: stderr, Clock: time.Now, Log: log, Getenv: os.Getenv,
	})
}
