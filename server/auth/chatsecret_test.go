package auth

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

// turned is a vault that anybody can open, as long as the owner is right.
type turned struct{}

func (turned) Seal(owner, secret string) ([]byte, error) {
	return []byte(owner + " " + hex.EncodeToString([]byte(secret))), nil
}

func (turned) Open(owner string, sealed []byte) (string, error) {
	text, ok := strings.CutPrefix(string(sealed), owner+" ")
	plain, err := hex.DecodeString(text)
	if !ok || err != nil {
		return "", errors.New("not this owner's")
	}
	return string(plain), nil
}

var _ Vault = turned{}

// A chat secret can be read again, because it signs; only by its department, only
// while it is good, and only where there is a vault.
func TestChatSecrets(t *testing.T) {
	w := newWorld(t)
	const department = "5D3C6E0A-0000-4000-8000-000000000001"
	spec := Spec{Type: ChatSecret, Department: department, Locations: []int{1}}
	w.issue(spec) // before there was a vault
	w.opts.Vault = turned{}
	one, info := w.issue(spec)
	got, err := w.ChatSecrets(strings.ToLower(department))
	if err != nil || len(got) != 1 || got[0] != one {
		t.Fatalf("%v %v", got, err)
	}
	if got, err := w.ChatSecrets("5d3c6e0a-0000-4000-8000-000000000002"); err != nil || len(got) != 0 {
		t.Errorf("another department's: %v %v", got, err)
	}
	if err := w.Revoke(t.Context(), "user:1", info.Grant); err != nil {
		t.Fatal(err)
	}
	if got, err := w.ChatSecrets(department); err != nil || len(got) != 0 {
		t.Errorf("a revoked one: %v %v", got, err)
	}
}
