package ticket

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func anyEntry(t *rapid.T) Transaction {
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
		"", `"`, `\`, `\"`, "\u2028<script>&", `,"readUpTo":7}`, `{"seq":9}`, "a\x00b", "\n\t", "שלום", `],"payload":1`,
	}))
	at := time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "second"), rapid.SampledFrom([]int64{0, 1e6, 120e6, 999e6, 1, 1500}).Draw(t, "part"))
	x := Transaction{
		Seq: uint64(rapid.IntRange(1, 3).Draw(t, "seq")), GUID: "b2979cc0-82a6-47e1-9cc1-ec71220648d8", At: at.UTC(),
		Type: rapid.SampledFrom([]string{TransactionMessage, TransactionNote, TransactionOpened}).Draw(t, "type"), Protocol: text.Draw(t, "protocol"),
		Text: text.Draw(t, "text"), HTML: text.Draw(t, "html"), ClientID: text.Draw(t, "client"),
		Status: rapid.SampledFrom([]string{StatusDelivered, StatusDelivered, StatusDelivered, StatusDelivered, StatusRead, TextNew, TextSent, TextInvalidNumber, "Pending", ""}).Draw(t, "status"),
		From: Participant{
			ID: rapid.IntRange(0, 3).Draw(t, "from"), Active: rapid.Bool().Draw(t, "active"), ReadUpTo: uint64(rapid.IntRange(0, 3).Draw(t, "read")),
			Type: rapid.SampledFrom([]string{ParticipantClient, ParticipantUser, ParticipantSystem}).Draw(t, "kind"), Protocol: ProtocolWeb,
		},
		FromName: ParticipantName{Name: text.Draw(t, "name"), Identifier: text.Draw(t, "identifier")},
	}
	if rapid.Bool().Draw(t, "zone") {
		x.At = x.At.In(time.FixedZone("", 3600))
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "files") {
		x.Attachments = append(x.Attachments, Attachment{ID: i, OriginalFileName: text.Draw(t, "file"), URI: text.Draw(t, "uri")})
	}
	if rapid.Bool().Draw(t, "extra") {
		x.Payload, _ = json.Marshal(map[string]any{"templates": []string{text.Draw(t, "title")}, "at": text.Draw(t, "more")})
	}
	return x
}

// What is spliced is what decoding, projecting and encoding would have given.
func TestSplicedEntries(t *testing.T) {
	view := ChatView{File: func(a *Attachment) ChatAttachment {
		return ChatAttachment{ID: a.ID, OriginalFileName: a.OriginalFileName, URI: a.URI, Thumbnails: []string{}}
	}}
	rapid.Check(t, func(t *rapid.T) {
		tk := &Ticket{Conversation: Conversation{Participants: []Participant{
			{ID: 1, Type: ParticipantClient, Active: true, ReadUpTo: uint64(rapid.IntRange(0, 3).Draw(t, "client read"))},
			{ID: 2, Type: ParticipantUser, Active: true, ReadUpTo: uint64(rapid.IntRange(0, 3).Draw(t, "user read"))},
		}}}
		s := NewChatSplicer(tk, view)
		for range rapid.IntRange(1, 9).Draw(t, "n") { // several, so that senders are met again
			x := anyEntry(t)
			doc, err := json.Marshal(&x)
			if err != nil {
				t.Fatal(err)
			}
			var decoded Transaction
			if err := json.Unmarshal(doc, &decoded); err != nil {
				t.Fatal(err)
			}
			want, err := json.Marshal(tk.ChatTransaction(&decoded, view))
			if err != nil {
				t.Fatal(err)
			}
			got, err := s.Append(nil, doc)
			if err != nil {
				t.Fatalf("%s: %v", doc, err)
			}
			var a, b any
			if json.Unmarshal(got, &a) != nil || json.Unmarshal(want, &b) != nil || !reflect.DeepEqual(a, b) {
				t.Fatalf("of %s\nspliced  %s\nexpected %s", doc, got, want)
			}
		}
	})
}

// A damaged entry is an error, or JSON; never a panic.
func FuzzSplice(f *testing.F) {
	f.Add([]byte(`{"seq":1,"guid":"x","at":"2026-03-02T08:15:04.119Z","type":"Message","from":{"id":1,"readUpTo":3},"status":"Delivered"}`))
	f.Add([]byte(`{"seq":1,"text":"\`))
	f.Add([]byte(`{"a":[}`))
	f.Add([]byte(`{"seq":1,,`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		tk := &Ticket{}
		s := NewChatSplicer(tk, ChatView{File: func(*Attachment) ChatAttachment { return ChatAttachment{} }})
		out, err := s.Append(nil, doc)
		if err == nil && json.Valid(doc) && !json.Valid(out) {
			t.Errorf("%q gives %q", doc, out)
		}
	})
}
