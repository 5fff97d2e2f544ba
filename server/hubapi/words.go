package hubapi

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"

	"github.com/nowserving/nowserving/server/speech"
)

// Words are the texts of the pages, by language code.
type Words map[string]map[string]any

// LoadWords reads them from the built pages; a build without pages has none.
func LoadWords(pages fs.FS) (Words, error) {
	text, err := fs.ReadFile(pages, "words.json")
	if err != nil {
		return Words{}, nil
	}
	var w Words
	if err := json.Unmarshal(text, &w); err != nil {
		return nil, fmt.Errorf("read the words of the pages: %w", err)
	}
	return w, nil
}

// Speech is how the languages speak.
func (w Words) Speech() map[string]speech.Language {
	out := map[string]speech.Language{}
	for code, texts := range w {
		voice, _ := texts["voice"].(string)
		toDesk, _ := texts["toDesk"].(string)
		if voice != "" && toDesk != "" {
			out[code] = speech.Language{Voice: voice, ToDesk: toDesk}
		}
	}
	return out
}

// Language is one language of Words.
type Language struct {
	Code  string
	texts map[string]any
}

// Of is the first of the languages that there are words for, else English.
func (w Words) Of(languages []string) Language {
	for _, l := range append(languages[:len(languages):len(languages)], "en") {
		base, _, _ := strings.Cut(l, "-")
		for _, code := range []string{l, base} {
			if t := w[code]; t != nil {
				return Language{code, t}
			}
		}
	}
	return Language{Code: "en"}
}

// Say is the text of a key with {name} filled in from pairs of name and value.
func (l Language) Say(key string, pairs ...string) string {
	text, _ := l.texts[key].(string)
	for i := 0; i+1 < len(pairs); i += 2 {
		text = strings.ReplaceAll(text, "{"+pairs[i]+"}", pairs[i+1])
	}
	return text
}
