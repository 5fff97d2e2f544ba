package auth

import (
	"cmp"
	"fmt"
	"slices"
)

// ChatSecrets are a department's chat secrets that are good now, newest first:
// what webhooks and identity tokens of that department are signed with. One that
// was issued without a vault is not among them.
func (a *Authenticator) ChatSecrets(department string) ([]string, error) {
	if a.opts.Vault == nil {
		return nil, nil
	}
	now := a.opts.Now()
	found := a.index.where(func(e *entry) bool {
		return e.rec.Type == ChatSecret && sameText(e.rec.Department, department) && !e.revoked.Load() &&
			!e.expired(now) && len(e.rec.Sealed) > 0
	})
	slices.SortFunc(found, func(x, y *entry) int {
		return cmp.Or(y.rec.Issued.Compare(x.rec.Issued), cmp.Compare(y.rec.Grant, x.rec.Grant))
	})
	var out []string
	for _, e := range found {
		secret, err := a.opts.Vault.Open(e.rec.Grant, e.rec.Sealed)
		if err != nil {
			return nil, fmt.Errorf("auth: open chat secret %s: %w", e.rec.Grant, err)
		}
		out = append(out, secret)
	}
	return out, nil
}

// Chat says who holds a chat token, and takes nothing else: every call of the
// chat API acts as a user in one department.
func (a *Authenticator) Chat(token string) (Identity, error) { return a.check(token, ChatToken) }
