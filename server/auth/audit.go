package auth

import "time"

// Action says what an audit entry is about.
type Action string

// The audited actions.
const (
	AuditSignIn   Action = "signin"
	AuditSignOut  Action = "signout"
	AuditIssue    Action = "issue"
	AuditRevoke   Action = "revoke"
	AuditPassword Action = "password"
	AuditDeny     Action = "deny" // an identity asked for what it may not have
	AuditChange   Action = "change"
	AuditErase    Action = "erase"
	AuditLost     Action = "lost" // so many entries could not be kept
)

// Entry is one audited act: who did what, when, from where, with which result.
// It never holds a secret or a visitor's words.
type Entry struct {
	Time   time.Time
	Action Action
	// Who is the credential that acted, or who somebody claimed to be.
	Who string
	// On is what it was done to: a credential, a channel, a command.
	On string
	// From is the address, where it is known.
	From string
	// Result is "ok" or the code of the refusal.
	Result string
}

// Auditor takes audit entries. It must not block for long and must not fail
// what is audited.
type Auditor interface {
	Audit(Entry)
}

// AuditorFunc lets a function be an Auditor.
type AuditorFunc func(Entry)

// Audit calls f.
func (f AuditorFunc) Audit(e Entry) { f(e) }

var _ Auditor = AuditorFunc(nil)
