package main

import (
	"embed"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
)

// texts holds a file for each language; the pages' boards are built from the same.
//
//go:embed words/*.json
var texts embed.FS

// fallback is spoken where a location's languages have no file.
const fallback = "en"

// words is one language of the screen.
type words struct {
	code string
	text map[string]any
}

// loadWords reads a language, or its base language, or reports that there is none.
func loadWords(language string) (words, bool) {
	base, _, _ := strings.Cut(language, "-")
	for _, code := range []string{language, base} {
		raw, err := texts.ReadFile("words/" + code + ".json")
		if err != nil {
			continue
		}
		w := words{code: code}
		if json.Unmarshal(raw, &w.text) == nil {
			return w, true
		}
	}
	return words{}, false
}

// wordsOf is the first of a location's languages that there is a file for.
func wordsOf(languages []string) words {
	for _, l := range languages {
		if w, ok := loadWords(l); ok {
			return w
		}
	}
	w, _ := loadWords(fallback)
	return w
}

// say is the text of a key with {name} filled in from pairs of name and value.
func (w words) say(key string, pairs ...any) string {
	text, _ := w.text[key].(string)
	for i := 0; i+1 < len(pairs); i += 2 {
		text = strings.ReplaceAll(text, fmt.Sprintf("{%v}", pairs[i]), fmt.Sprint(pairs[i+1]))
	}
	return text
}

// desk is "Desk 3", or a desk's own words.
func (w words) desk(name string) string {
	digits := strings.TrimRightFunc(name, unicode.IsLetter)
	if digits == "" || strings.Trim(digits, "0123456789") != "" || len(name)-len(digits) > 1 {
		return name
	}
	return w.say("desk", "name", name)
}

// nth says that a call is not the first: "" for that one.
func (w words) nth(recalls int) string {
	switch recalls {
	case 0:
		return ""
	case 1:
		return w.say("second")
	case 2:
		return w.say("third")
	}
	return w.say("nth", "n", recalls+1)
}
