// Package speech renders the clips that screens put a call together from: a
// letter, digits, "to desk", a number. Each is rendered once, by a configured
// program, and kept as a file.
//
// A clip's name is checked against the few that there are before anything is
// rendered, so that the work and the disk that a caller can cost are bounded.
package speech

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// ErrNone says that there is no such clip: no program is configured, or the
// language or the name is unknown.
var ErrNone = errors.New("speech: there is no such clip")

const (
	// renderTime is what a program may take for one word.
	renderTime = 10 * time.Second
	// maxClip bounds a rendered file: a word is well under a second.
	maxClip = 2 << 20
	// maxNumber is the largest number that is said as one.
	maxNumber = 99
	// wordsPerMinute is slower than people talk: lobbies echo.
	wordsPerMinute = "140"
)

// Language is how one language speaks.
type Language struct {
	Voice  string // the program's name for it
	ToDesk string // "to desk"
}

// Run runs a program with text on its standard input.
type Run func(ctx context.Context, program string, args []string, stdin string) error

// Options make a Store.
type Options struct {
	// Program speaks like espeak-ng: -v VOICE -s SPEED -z --stdin -w FILE. ""
	// means that there is no speech.
	Program string
	// Dir is where clips are kept.
	Dir string
	// Languages by code.
	Languages map[string]Language
	// Run is nil in production.
	Run Run
}

// Store renders and keeps clips. It is safe for concurrent use.
type Store struct {
	o Options
	// turn holds one token: one program at a time, as the machine has calls to
	// deliver meanwhile.
	turn chan struct{}
}

// New makes a Store. It opens nothing yet.
func New(o Options) *Store {
	if o.Run == nil {
		o.Run = run
	}
	// Another program has another voice: its clips do not mix with these.
	o.Dir = filepath.Join(o.Dir, tidy(filepath.Base(o.Program)))
	return &Store{o: o, turn: make(chan struct{}, 1)}
}

func tidy(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, name)
}

// Path is the file of a clip, rendered if it is not there yet. The error is
// ErrNone where there is no such clip, any other is the program's or the disk's.
func (s *Store) Path(ctx context.Context, language, clip string) (string, error) {
	l, known := s.o.Languages[language]
	text, file := l.text(clip)
	if s.o.Program == "" || !known || text == "" {
		return "", ErrNone
	}
	// Another voice says the same differently: its clips have a folder of their own.
	path := filepath.Join(s.o.Dir, tidy(language+"-"+l.Voice), file+".wav")
	if there(path) {
		return path, nil
	}
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	defer func() { <-s.turn }()
	if there(path) { // somebody else has rendered it meanwhile
		return path, nil
	}
	return path, s.render(ctx, l.Voice, text, path)
}

func there(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// render writes aside and renames: half a file must not be kept for ever.
func (s *Store) render(ctx context.Context, voice, text, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make the folder of clips: %w", err)
	}
	// Finished even if whoever asked is gone: the next one asks for the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renderTime)
	defer cancel()
	aside := path + ".new"
	defer func() { _ = os.Remove(aside) }()
	args := []string{"-v", voice, "-s", wordsPerMinute, "-z", "--stdin", "-w", aside}
	if err := s.o.Run(ctx, s.o.Program, args, text); err != nil {
		return fmt.Errorf("render a clip: %w", err)
	}
	if err := check(aside); err != nil {
		return fmt.Errorf("render a clip: %w", err)
	}
	if err := os.Rename(aside, path); err != nil {
		return fmt.Errorf("keep a clip: %w", err)
	}
	return nil
}

// check refuses what is no WAV file with sound in it.
func check(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("the program wrote no file")
	}
	if err != nil {
		return err
	}
	const header = 44
	if info.Size() <= header || info.Size() > maxClip {
		return fmt.Errorf("the program wrote %d bytes", info.Size())
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	head := make([]byte, 12)
	if _, err := f.Read(head); err != nil {
		return err
	}
	if !bytes.HasPrefix(head, []byte("RIFF")) || !bytes.HasSuffix(head, []byte("WAVE")) {
		return errors.New("the program wrote no WAV file")
	}
	return nil
}

// text is what a clip says and its file's name; "" when there is no such clip.
func (l Language) text(clip string) (text, file string) {
	kind, what, _ := strings.Cut(clip, "-")
	switch {
	case clip == "to-desk":
		// The phrase is part of the name: a better translation is another file.
		return l.ToDesk, "to-desk-" + strconv.FormatUint(uint64(sum(l.ToDesk)), 16)
	case kind == "digit" && len(what) == 1 && what[0] >= '0' && what[0] <= '9':
		return what, clip
	case kind == "number":
		if n, err := strconv.Atoi(what); err == nil && n >= 0 && n <= maxNumber && strconv.Itoa(n) == what {
			return what, clip
		}
	case kind == "letter":
		r, size := utf8.DecodeRuneInString(what)
		if size == len(what) && r != utf8.RuneError && unicode.IsLetter(r) && r <= 0xFFFF {
			return string(unicode.ToUpper(r)), fmt.Sprintf("letter-%04x", unicode.ToLower(r))
		}
	}
	return "", ""
}

// sum tells texts apart (FNV-1a).
func sum(text string) uint32 {
	h := uint32(2166136261)
	for i := range len(text) {
		h = (h ^ uint32(text[i])) * 16777619
	}
	return h
}

// voiceName is what may follow -v: never another option.
func voiceName() *regexp.Regexp { return regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]+)*$`) }

// Check says whether the configuration can work, before the first call needs it.
func (s *Store) Check() error {
	if s.o.Program == "" {
		return nil
	}
	if _, err := exec.LookPath(s.o.Program); err != nil {
		return fmt.Errorf("find the speech program: %w", err)
	}
	form := voiceName()
	for code, l := range s.o.Languages {
		if !form.MatchString(l.Voice) {
			return fmt.Errorf("the words of %q name no usable voice", code)
		}
	}
	return nil
}

// run is Run with a real process. The text never is an argument: a desk may be
// called "--help".
func run(ctx context.Context, program string, args []string, stdin string) error {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", program, err, bytes.TrimSpace(out[:min(len(out), 200)]))
	}
	return nil
}
