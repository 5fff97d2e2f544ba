package ticket

import (
	"errors"
	"testing"

	"github.com/nowserving/nowserving/hub/wire"
)

func TestScreenSettingsNameTheField(t *testing.T) {
	board := func(change func(*Board)) Board {
		b := Board{Layout: "board", Theme: "dark", Names: "none"}
		change(&b)
		return b
	}
	for field, b := range map[string]Board{
		"layout":       board(func(b *Board) { b.Layout = "wall" }),
		"theme":        board(func(b *Board) { b.Theme = "pink" }),
		"names":        board(func(b *Board) { b.Names = "all" }),
		"joinUrl":      board(func(b *Board) { b.JoinURL = "javascript:alert(1)" }),
		"logo":         board(func(b *Board) { b.Logo = "../etc/passwd" }),
		"languageCode": board(func(b *Board) { b.Cards = []Card{{Language: "<", Text: "x"}} }),
		"cards":        board(func(b *Board) { b.Cards = []Card{{Language: "en", Text: "1 2 3 4 5 6 7 8 9 10 11 12 13"}} }),
		"emergency":    board(func(b *Board) { b.Emergency = []Card{{Language: "en"}} }),
		"media":        board(func(b *Board) { b.Media = []Medium{{ID: "x", Type: "image/png"}} }),
	} {
		var e *wire.Error
		if err := b.check(); !errors.As(err, &e) || e.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	if err := board(func(b *Board) {
		b.Cards = []Card{{"en", "Please have your papers ready"}}
		b.Media = []Medium{{ID: "00112233445566778899aabbccddeeff", Type: "video/mp4"}}
	}).check(); err != nil {
		t.Error(err)
	}
}

func TestScreenSizesAreBelievable(t *testing.T) {
	for field, d := range map[string]Display{
		"inches": {Inches: 1400}, "seat": {Seat: 0.1}, "width": {Width: 9}, "height": {Height: 100000}, "rows": {Rows: -1},
	} {
		var e *wire.Error
		if err := d.checkSize(); !errors.As(err, &e) || e.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	if err := (&Display{Inches: 55, Width: 3840, Height: 2160, Seat: 8}).checkSize(); err != nil {
		t.Error(err)
	}
}

func TestEditScreen(t *testing.T) {
	s := &State{
		Lines:    map[int]*Line{1: {ID: 1}},
		Desks:    map[int]*Desk{3: {ID: 3}},
		Displays: map[int]*Display{7: {ID: 7, Name: "TV", Lines: []int{1, 9}, Desk: 5}},
	}
	events, err := EditDisplay{Display: 7, Room: Some("Lobby")}.decide(s, Env{})
	if err != nil || len(events) != 1 {
		t.Fatal(events, err)
	}
	d := events[0].Facts.DisplayDef
	if d.Room != "Lobby" || d.Desk != 0 || len(d.Lines) != 1 {
		t.Errorf("lines and desks that are gone were kept: %+v", d)
	}
	if _, err := (EditDisplay{Display: 7, Desk: Some(4)}).decide(s, Env{}); err == nil {
		t.Error("a desk that does not exist was taken")
	}
	s.Displays[7] = d
	if events, err := (EditDisplay{Display: 7}).decide(s, Env{}); err != nil || events != nil {
		t.Error("nothing was changed, but", events, err)
	}
	if events, err := (EditDisplay{Display: 7, Reload: true}).decide(s, Env{}); err != nil || !events[0].Facts.Reload {
		t.Error("a reload is an event", events, err)
	}
	if events, err := (EditDisplay{Display: 7, Remove: true}).decide(s, Env{}); err != nil || !events[0].Facts.DisplayDef.Removed {
		t.Error("not removed", events, err)
	}
}
