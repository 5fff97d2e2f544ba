package auth

import (
	"crypto/subtle"
	"sync"
)

// index finds credentials in memory, so that checking one never reads the store.
type index struct {
	mu           sync.RWMutex // protects the maps
	byDigest     map[digest]*entry
	byGrant      map[string]*entry
	byCredential map[string]map[*entry]struct{}
}

func newIndex() *index {
	return &index{
		byDigest:     make(map[digest]*entry),
		byGrant:      make(map[string]*entry),
		byCredential: make(map[string]map[*entry]struct{}),
	}
}

func (x *index) add(e *entry) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.put(e)
}

// put is add with mu held.
func (x *index) put(e *entry) {
	x.byDigest[e.digest] = e
	x.byGrant[e.rec.Grant] = e
	same := x.byCredential[e.rec.Credential]
	if same == nil {
		same = make(map[*entry]struct{})
		x.byCredential[e.rec.Credential] = same
	}
	same[e] = struct{}{}
}

func (x *index) remove(e *entry) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if now := x.byDigest[e.digest]; now != nil && now != e { // it took the place of e meanwhile
		now.revoked.Store(true)
		x.unname(now)
	}
	delete(x.byDigest, e.digest)
	delete(x.byGrant, e.rec.Grant)
	x.unname(e)
}

// replace puts another entry of the same token and grant in the place of old.
func (x *index) replace(old, next *entry) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.unname(old)
	x.put(next)
}

// unname forgets whose an entry is; mu is held.
func (x *index) unname(e *entry) {
	same := x.byCredential[e.rec.Credential]
	delete(same, e)
	if len(same) == 0 {
		delete(x.byCredential, e.rec.Credential)
	}
}

// find looks a digest up. What is compared is the hash of what was sent, so the
// time it takes tells nothing about any token; the comparison at the end keeps
// that true whatever the map does.
func (x *index) find(d digest) (*entry, bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	e, ok := x.byDigest[d]
	if !ok || subtle.ConstantTimeCompare(e.digest[:], d[:]) != 1 || e.revoked.Load() {
		return nil, false
	}
	return e, true
}

// grant finds the entry behind an identity.
func (x *index) grant(name string) (*entry, bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	e, ok := x.byGrant[name]
	if !ok || e.revoked.Load() {
		return nil, false
	}
	return e, true
}

// named lists the entries whose credential or grant is name, revoked ones too.
func (x *index) named(name string) []*entry {
	x.mu.RLock()
	defer x.mu.RUnlock()
	var out []*entry
	for e := range x.byCredential[name] {
		out = append(out, e)
	}
	if e, ok := x.byGrant[name]; ok && e.rec.Credential != name {
		out = append(out, e)
	}
	return out
}

// where lists the entries that keep says yes to.
func (x *index) where(keep func(*entry) bool) []*entry {
	x.mu.RLock()
	defer x.mu.RUnlock()
	var out []*entry
	for _, e := range x.byDigest {
		if keep(e) {
			out = append(out, e)
		}
	}
	return out
}
