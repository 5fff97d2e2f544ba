package main

import (
	"encoding/json"
	"io/fs"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
)

func TestSettingsOfTheScreenAreFollowed(t *testing.T) {
	inBubble(t, config{display: 7}, func(s *screen) {
		s.told()
		s.snapshot("")
		s.told()
		s.a.Snapshot("display:7", wire.Position{}, json.RawMessage(`{"display":{"id":7,"desk":4,"lines":[2]}}`))
		synctest.Wait()
		s.push("ticket.called", 106, time.Now(), `{"ticket":`+a42+`}`) // desk 3
		synctest.Wait()
		s.saw("")
		s.a.Push(wire.Push{Type: "display.changed", Channel: "display:7", Offset: 107, Data: json.RawMessage(`{"display":{"id":7}}`)})
		s.a.Push(wire.Push{Type: "display.role", Channel: "display:7", Data: json.RawMessage(`{"speak":true}`)})
		synctest.Wait()
		s.push("ticket.recalled", 108, time.Now(), `{"ticket":`+a42+`}`)
		synctest.Wait()
		s.saw("recall A-42 desk Window 3")
	})
}

func TestEveryLanguageIsComplete(t *testing.T) {
	files, err := fs.Glob(texts, "words/*.json")
	if err != nil || len(files) < 5 {
		t.Fatal(files, err)
	}
	english, _ := loadWords("en")
	for _, file := range files {
		code := file[len("words/") : len(file)-len(".json")]
		w, ok := loadWords(code)
		if !ok || len(w.text) != len(english.text) {
			t.Errorf("%s has %d texts, English has %d", code, len(w.text), len(english.text))
		}
		for key := range english.text {
			if w.text[key] == nil || w.text[key] == "" {
				t.Errorf("%s has no %s", code, key)
			}
		}
	}
}

func TestWordsOfALocation(t *testing.T) {
	for want, languages := range map[string][]string{"es": {"es-MX", "en"}, "ar": {"tlh", "ar"}, "en": nil} {
		if got := wordsOf(languages).code; got != want {
			t.Errorf("%q: %s", languages, got)
		}
	}
	w := wordsOf([]string{"de"})
	got := []string{w.desk("3"), w.desk("12b"), w.desk("Auskunft"), w.desk(""), w.nth(0), w.nth(1), w.nth(3), wordsOf([]string{"../en"}).code}
	if want := []string{"Schalter 3", "Schalter 12b", "Auskunft", "", "", "Zweiter Aufruf", "4. Aufruf", "en"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
