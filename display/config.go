package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/nowserving/nowserving/hub/wire"
)

// envPrefix is where the environment's names begin: -server is also
// NOWSERVING_DISPLAY_SERVER.
const envPrefix = "NOWSERVING_DISPLAY_"

// config is what the command line and the environment say.
type config struct {
	server   string
	token    string
	location int64
	desk     int64
	// display is the screen's own id; with it, the settings that staff gives the
	// screen are followed.
	display int64
	json    bool
	// w and h are the size of the screen, or 0 to ask the terminal.
	w, h int
}

// channel is the board that the screen shows.
func (c config) channel() string {
	return wire.Channel{Kind: wire.BoardChannel, ID: c.location}.String()
}

// own is the screen's own channel, or "".
func (c config) own() string {
	if c.display == 0 {
		return ""
	}
	return wire.Channel{Kind: wire.DisplayChannel, ID: c.display}.String()
}

// parseConfig reads flags over environment over defaults. An unknown name is
// an error in both: a misspelt setting must not look like one that works.
func parseConfig(args, environ []string, usage io.Writer) (config, error) {
	var c config
	var size string
	fs := flag.NewFlagSet("display", flag.ContinueOnError)
	fs.SetOutput(usage)
	fs.StringVar(&c.server, "server", "http://127.0.0.1:8080", "the hub's `URL`")
	fs.StringVar(&c.token, "token", "", "the screen's `token`; better in "+envPrefix+"TOKEN, as others on the machine can read a command line")
	fs.Int64Var(&c.location, "location", 1, "the `id` of the location to show")
	fs.Int64Var(&c.desk, "desk", 0, "be the sign of the desk with this `id`")
	fs.Int64Var(&c.display, "display", 0, "the screen's own `id`, to follow the settings that staff gives it")
	fs.BoolVar(&c.json, "json", false, "print one JSON line per change instead of painting a screen")
	fs.StringVar(&size, "size", "", "`COLUMNSxROWS`, for a screen that cannot be asked for its size")
	if err := fromEnviron(fs, environ); err != nil {
		return c, err
	}
	if err := fs.Parse(args); err != nil {
		return c, err
	}
	if fs.NArg() > 0 {
		return c, fmt.Errorf("%q is not a flag", fs.Arg(0))
	}
	if err := c.setSize(size); err != nil {
		return c, err
	}
	return c, c.validate()
}

func fromEnviron(fs *flag.FlagSet, environ []string) error {
	for _, pair := range slices.Sorted(slices.Values(environ)) {
		name, value, _ := strings.Cut(pair, "=")
		rest, ours := strings.CutPrefix(name, envPrefix)
		if !ours {
			continue
		}
		if fs.Lookup(strings.ToLower(rest)) == nil || rest != strings.ToUpper(rest) {
			return fmt.Errorf("%s is not a setting of this program", name)
		}
		if err := fs.Set(strings.ToLower(rest), value); err != nil {
			// The value is not repeated: it may be the token.
			return fmt.Errorf("%s has a wrong value", name)
		}
	}
	return nil
}

func (c *config) setSize(size string) error {
	if size == "" {
		return nil
	}
	w, h, _ := strings.Cut(size, "x")
	var errW, errH error
	c.w, errW = strconv.Atoi(w)
	c.h, errH = strconv.Atoi(h)
	if errW != nil || errH != nil || c.w < 1 || c.h < 1 || c.w > maxColumns || c.h > maxRows {
		return fmt.Errorf("-size %q: want COLUMNSxROWS, such as 80x24", clean(size))
	}
	return nil
}

func (c config) validate() error {
	u, err := url.Parse(c.server)
	switch {
	case err != nil || u.Host == "":
		return errors.New("-server: want a URL, such as https://queue.example.org")
	case c.token == "":
		return errors.New("a token is missing: set " + envPrefix + "TOKEN")
	case c.location < 1:
		return errors.New("-location: want a number from 1")
	case c.display < 0:
		return errors.New("-display: want a number from 1")
	case c.desk < 0:
		return errors.New("-desk: want a number from 1")
	}
	return nil
}
