package speech

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func languages() map[string]Language {
	return map[string]Language{"en": {"en", "to desk"}, "es": {"es", "a la mesa"}}
}

// wav is the smallest file that counts.
func wav() []byte { return append([]byte("RIFF\x00\x00\x00\x00WAVE"), make([]byte, 64)...) }

// fake writes what the tests say instead of speech.
func fake(write []byte, said *[]string, runs *atomic.Int32) Run {
	var mu sync.Mutex
	return func(_ context.Context, _ string, args []string, stdin string) error {
		runs.Add(1)
		mu.Lock()
		*said = append(*said, args[1]+" "+stdin)
		mu.Unlock()
		return os.WriteFile(args[slices.Index(args, "-w")+1], write, 0o600)
	}
}

func TestClipsAreRenderedOnceAndKept(t *testing.T) {
	var said []string
	var runs atomic.Int32
	dir := t.TempDir()
	s := New(Options{Program: "espeak-ng", Dir: dir, Languages: languages(), Run: fake(wav(), &said, &runs)})
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := s.Path(t.Context(), "es", "to-desk"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if runs.Load() != 1 || said[0] != "es a la mesa" {
		t.Errorf("%d runs: %q", runs.Load(), said)
	}
	again := New(Options{Program: "espeak-ng", Dir: dir, Languages: languages(), Run: fake(nil, &said, &runs)})
	if path, err := again.Path(t.Context(), "es", "to-desk"); err != nil || runs.Load() != 1 {
		t.Error("a restart renders again:", path, err, runs.Load())
	}
}

func TestOnlyTheClipsThatThereAre(t *testing.T) {
	var said []string
	var runs atomic.Int32
	s := New(Options{Program: "espeak-ng", Dir: t.TempDir(), Languages: languages(), Run: fake(wav(), &said, &runs)})
	for _, clip := range []string{
		"", "to-desk2", "digit-", "digit-10", "digit-a", "number-100", "number--1", "number-07", "number-1e1", "letter-", "letter-ab",
		"letter-1", "letter-/", "letter-..", "../../etc/passwd", "letter-\xff", "letter- ", "letter-\u202e", "anything",
	} {
		if path, err := s.Path(t.Context(), "en", clip); !errors.Is(err, ErrNone) {
			t.Errorf("%q gave %q, %v", clip, path, err)
		}
	}
	for _, language := range []string{"", "xx", "../en", "EN"} {
		if _, err := s.Path(t.Context(), language, "digit-1"); !errors.Is(err, ErrNone) {
			t.Errorf("language %q: %v", language, err)
		}
	}
	if runs.Load() != 0 {
		t.Errorf("%d programs were run: %q", runs.Load(), said)
	}
	for _, clip := range []string{"digit-0", "number-99", "letter-a", "letter-ж", "to-desk"} {
		if _, err := s.Path(t.Context(), "en", clip); err != nil {
			t.Errorf("%q: %v", clip, err)
		}
	}
}

func TestWithoutAProgramThereIsNoSpeech(t *testing.T) {
	s := New(Options{Dir: t.TempDir(), Languages: languages()})
	if _, err := s.Path(t.Context(), "en", "digit-1"); !errors.Is(err, ErrNone) {
		t.Error(err)
	}
	if err := s.Check(); err != nil {
		t.Error(err)
	}
}

func TestAFailedRenderingLeavesNothing(t *testing.T) {
	for name, written := range map[string][]byte{"empty": {}, "no wav": make([]byte, 500), "header only": wav()[:44]} {
		var said []string
		var runs atomic.Int32
		dir := t.TempDir()
		s := New(Options{Program: "espeak-ng", Dir: dir, Languages: languages(), Run: fake(written, &said, &runs)})
		if _, err := s.Path(t.Context(), "en", "digit-1"); err == nil || errors.Is(err, ErrNone) {
			t.Errorf("%s: %v", name, err)
		}
		left, _ := filepath.Glob(filepath.Join(dir, "*", "*", "*"))
		if len(left) != 0 {
			t.Errorf("%s left %q", name, left)
		}
	}
}

func TestCheckRefusesVoicesThatAreOptions(t *testing.T) {
	s := New(Options{Program: "true", Languages: map[string]Language{"en": {"--help", "x"}}})
	if err := s.Check(); err == nil || !strings.Contains(err.Error(), "voice") {
		t.Error(err)
	}
	if err := New(Options{Program: "there-is-no-such-program"}).Check(); err == nil {
		t.Error("a program that is not there was accepted")
	}
}

func TestEspeak(t *testing.T) {
	program, err := exec.LookPath("espeak-ng")
	if err != nil {
		t.Skip("espeak-ng is not installed")
	}
	s := New(Options{Program: program, Dir: t.TempDir(), Languages: languages()})
	for _, clip := range []string{"letter-a", "digit-4", "to-desk", "number-12"} {
		if _, err := s.Path(t.Context(), "en", clip); err != nil {
			t.Error(clip, err)
		}
	}
}

func FuzzClipNames(f *testing.F) {
	for _, seed := range []string{"to-desk", "digit-1", "number-42", "letter-a", "letter-../x", "-"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, clip string) {
		text, file := Language{"en", "to desk"}.text(clip)
		if (text == "") != (file == "") || len(text) > 8 || strings.ContainsAny(file, "/\\.") || strings.HasPrefix(text, "-") {
			t.Errorf("%q says %q in file %q", clip, text, file)
		}
	})
}
