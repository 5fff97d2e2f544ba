package chatapi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/store"
)

const (
	contactDocs    = "chat.contact"
	identifierDocs = "chat.identifier"

	maxContactName   = 25
	maxContactUnique = 50
	maxIdentifiers   = 50
)

// contact is somebody who has written, under one or more identifiers.
type contact struct {
	ID             string       `json:"id"`
	Department     string       `json:"department"`
	Name           string       `json:"name"`
	UniqueArgument string       `json:"uniqueArgument,omitempty"`
	Identifiers    []identifier `json:"identifiers"`
	Next           int          `json:"next"` // id of the next identifier
	Created        time.Time    `json:"created"`
	Updated        time.Time    `json:"updated"`
	Scrambled      bool         `json:"scrambled,omitempty"`
	Tags           []string     `json:"tags,omitempty"`
	// MergedInto is the contact that this one has become part of.
	MergedInto string `json:"mergedInto,omitempty"`
}

type identifier struct {
	ID       int       `json:"id"`
	Type     string    `json:"type"`
	Value    string    `json:"value"`
	Accessed time.Time `json:"accessed"`
}

// contactJSON and identifierJSON are the form of the API.
type contactJSON struct {
	ID                  string           `json:"id"`
	Name                string           `json:"name"`
	Identifiers         []identifierJSON `json:"identifiers"`
	UniqueArgument      string           `json:"uniqueArgument"`
	ImageFileIdentifier string           `json:"imageFileIdentifier"`
	ImageURI            *string          `json:"imageUri"`
	Created             string           `json:"creationDateTime"`
	Updated             string           `json:"updateDateTime"`
	IsDeleted           bool             `json:"isDeleted"`
	IsScrambled         bool             `json:"isScrambled"`
	Tags                []string         `json:"tags"`
}

type identifierJSON struct {
	ID          int    `json:"id"`
	ContactID   string `json:"contactId"`
	Type        string `json:"identifierType"`
	Identifier  string `json:"identifier"`
	Accessed    string `json:"lastAccessed"`
	IsVerified  bool   `json:"isVerified"`
	IsDeleted   bool   `json:"isDeleted"`
	IsScrambled bool   `json:"isScrambled"`
}

func (k *contact) show() contactJSON {
	out := contactJSON{
		ID: k.ID, Name: k.Name, Identifiers: []identifierJSON{}, UniqueArgument: k.UniqueArgument,
		Created: zoned(k.Created), Updated: zoned(k.Updated), IsScrambled: k.Scrambled, Tags: append([]string{}, k.Tags...),
	}
	for _, i := range k.Identifiers {
		out.Identifiers = append(out.Identifiers, identifierJSON{
			ID: i.ID, ContactID: k.ID, Type: i.Type, Identifier: i.Value, Accessed: zoned(i.Accessed), IsScrambled: k.Scrambled,
		})
	}
	return out
}

// identifierType is what kind of identifier a channel knows people by.
func identifierType(protocol string) string {
	switch {
	case byPhone(protocol) && protocol != "Viber":
		return "PhoneNumber"
	case protocol == ticket.ProtocolMail:
		return "MailAddress"
	}
	switch protocol {
	case "Web":
		return "Web"
	case "FBmessenger", "FacebookFeed":
		return "FacebookId"
	case "InstagramFeed", "InstagramDM":
		return "InstagramId"
	case "Viber":
		return "ClientViberID"
	case "AppleBusinessChat":
		return "ClientAppleBusinessChatID"
	case "Twitter":
		return "ClientTwitterId"
	case "GoogleBusinessMessages":
		return "ClientGoogleBusinessMessagesId"
	case "GoogleBusinessReviews":
		return "ClientGoogleBusinessReviewerId"
	}
	return "Undefined"
}

// identifierKey finds a contact by an identifier without writing it into a key.
func identifierKey(department, kind, v string) string {
	sum := sha256.Sum256([]byte(department + "\x00" + kind + "\x00" + v))
	return hex.EncodeToString(sum[:])
}

// linkContacts finds or makes the contact of every client, and gives the
// documents to be written with the ticket. API.contacts is held.
func (c *call) linkContacts(newcomers []ticket.Newcomer) ([]store.Doc, error) {
	var docs []store.Doc
	made := map[string]string{}
	for i := range newcomers {
		n := &newcomers[i]
		if n.Type != ticket.ParticipantClient {
			continue
		}
		key := identifierKey(c.guid, identifierType(n.Protocol), n.Identifier)
		if made[key] != "" {
			n.Contact = made[key]
			continue
		}
		id, fresh, err := c.contactFor(n, key)
		if err != nil {
			return nil, err
		}
		n.Contact, made[key] = id, id
		docs = append(docs, fresh...)
	}
	return docs, nil
}

func (c *call) contactFor(n *ticket.Newcomer, key string) (string, []store.Doc, error) {
	known, err := c.Ledger.Doc(identifierDocs, key)
	if err == nil {
		return string(known), nil, nil
	}
	if !errors.Is(err, store.ErrNotFound) {
		return "", nil, err
	}
	id, err := c.guidOf()
	if err != nil {
		return "", nil, err
	}
	now := c.Clock().UTC()
	k := contact{
		ID: id, Department: c.guid, Name: short(n.Name, maxContactName), Created: now, Updated: now, Next: 2,
		Identifiers: []identifier{{ID: 1, Type: identifierType(n.Protocol), Value: n.Identifier, Accessed: now}},
	}
	doc, err := jsonDoc(contactDocs, id, k)
	return id, []store.Doc{doc, {Kind: identifierDocs, Key: key, Value: []byte(id)}}, err
}

func short(v string, most int) string {
	if r := []rune(v); len(r) > most {
		return strings.TrimSpace(string(r[:most]))
	}
	return v
}

// contact is the contact of the path, or what it was merged into.
func (c *call) contact() (*contact, error) {
	id, ok := parseGUID(c.arg)
	if !ok {
		return nil, wire.FieldError("id", "id is not a contact's GUID")
	}
	return c.contactByID(id)
}

func (c *call) contactByID(id string) (*contact, error) {
	for range 10 { // merges of merged contacts
		var k contact
		err := c.readDoc(contactDocs, id, &k)
		if errors.Is(err, store.ErrNotFound) || err == nil && k.Department != c.guid {
			break
		}
		if err != nil {
			return nil, err
		}
		if k.MergedInto == "" {
			return &k, nil
		}
		id = k.MergedInto
	}
	return nil, wire.Errorf(wire.NotFound, "there is no contact of this id")
}

func getContact(c *call) (any, error) {
	k, err := c.contact()
	if err != nil {
		return nil, err
	}
	return k.show(), nil
}

// changeContact changes the contact of the path; change may add documents.
func (c *call) changeContact(change func(k *contact) ([]store.Doc, error)) (any, error) {
	if c.err != nil {
		return nil, c.err
	}
	c.contacts.Lock()
	defer c.contacts.Unlock()
	k, err := c.contact()
	if err != nil {
		return nil, err
	}
	if k.Scrambled {
		return nil, wire.Errorf(wire.Conflict, "the contact was scrambled and takes no personal data")
	}
	docs, err := change(k)
	if err != nil {
		return nil, err
	}
	k.Updated = c.Clock().UTC()
	doc, err := jsonDoc(contactDocs, k.ID, k)
	if err != nil {
		return nil, err
	}
	if err := c.Ledger.PutDocs(c.r.Context(), append(docs, doc)...); err != nil {
		return nil, err
	}
	return success(), nil
}

// within checks a text that must be there, of a bounded length.
func (c *call) within(field, v string, most int) string {
	v = strings.TrimSpace(v)
	switch n := utf8.RuneCountInString(v); {
	case n == 0:
		c.wrong(wire.FieldError(field, "%s is missing", field))
	case n > most:
		c.wrong(wire.FieldError(field, "%s has at most %d characters", field, most))
	}
	return v
}

func setContactName(c *call) (any, error) {
	var in struct{ NextName string }
	c.decode(&in)
	name := c.within("nextName", in.NextName, maxContactName)
	return c.changeContact(func(k *contact) ([]store.Doc, error) {
		k.Name = name
		return nil, nil
	})
}

func setContactArgument(c *call) (any, error) {
	var in struct{ NextUniqueArgument *string }
	c.decode(&in)
	if in.NextUniqueArgument == nil {
		c.wrong(wire.FieldError("nextUniqueArgument", "nextUniqueArgument is missing"))
	} else if utf8.RuneCountInString(*in.NextUniqueArgument) > maxContactUnique {
		c.wrong(wire.FieldError("nextUniqueArgument", "nextUniqueArgument has at most %d characters", maxContactUnique))
	}
	return c.changeContact(func(k *contact) ([]store.Doc, error) {
		k.UniqueArgument = strings.TrimSpace(*in.NextUniqueArgument)
		return nil, nil
	})
}

// addIdentifier is POST /contacts/addidentifier/{id}. One that belongs to another
// contact is refused, unless forceMerge brings that contact over.
func addIdentifier(c *call) (any, error) {
	var in struct {
		IdentifierType, Identifier string
		ForceMerge                 bool
	}
	c.decode(&in)
	kind, err := word("identifierType", in.IdentifierType, "PhoneNumber", "MailAddress", "FacebookId", "InstagramId")
	c.wrong(err)
	protocol := map[string]string{"PhoneNumber": "SMS", "MailAddress": "Mail"}[kind]
	v, err := normalIdentifier("identifier", protocol, in.Identifier)
	c.wrong(err)
	return c.changeContact(func(k *contact) ([]store.Doc, error) {
		key := identifierKey(c.guid, kind, v)
		owner, err := c.Ledger.Doc(identifierDocs, key)
		switch {
		case errors.Is(err, store.ErrNotFound):
			return []store.Doc{{Kind: identifierDocs, Key: key, Value: []byte(k.ID)}}, k.add(kind, v, c.Clock().UTC())
		case err != nil:
			return nil, err
		}
		other, err := c.contactByID(string(owner))
		if err != nil || other.ID == k.ID {
			return nil, err
		}
		if !in.ForceMerge {
			return nil, &wire.Error{Code: wire.Conflict, Field: "identifier", Message: "identifier belongs to another contact; forceMerge brings it over"}
		}
		return c.merge(k, other)
	})
}

func (k *contact) add(kind, v string, now time.Time) error {
	if len(k.Identifiers) >= maxIdentifiers {
		return wire.Errorf(wire.Conflict, "a contact has at most %d identifiers", maxIdentifiers)
	}
	k.Identifiers = append(k.Identifiers, identifier{ID: k.Next, Type: kind, Value: v, Accessed: now})
	k.Next++
	return nil
}

// merge brings everything of another contact over; its id stays good.
func (c *call) merge(k, other *contact) ([]store.Doc, error) {
	var docs []store.Doc
	for _, i := range other.Identifiers {
		if err := k.add(i.Type, i.Value, i.Accessed); err != nil {
			return nil, err
		}
		docs = append(docs, store.Doc{Kind: identifierDocs, Key: identifierKey(c.guid, i.Type, i.Value), Value: []byte(k.ID)})
	}
	for _, t := range other.Tags {
		if !slices.Contains(k.Tags, t) {
			k.Tags = append(k.Tags, t)
		}
	}
	if k.Name == "" {
		k.Name = other.Name
	}
	doc, err := jsonDoc(contactDocs, other.ID, contact{
		ID: other.ID, Department: other.Department, MergedInto: k.ID, Created: other.Created, Updated: c.Clock().UTC(),
	})
	return append(docs, doc), err
}

// deleteIdentifier is DELETE /contacts/deleteidentifier/{id}?contactIdentifierId.
func deleteIdentifier(c *call) (any, error) {
	n, err := strconv.Atoi(c.needed("contactIdentifierId"))
	if err != nil {
		c.wrong(wire.FieldError("contactIdentifierId", "contactIdentifierId is a number"))
	}
	return c.changeContact(func(k *contact) ([]store.Doc, error) {
		i := slices.IndexFunc(k.Identifiers, func(x identifier) bool { return x.ID == n })
		if i < 0 {
			return nil, wire.Errorf(wire.NotFound, "contactIdentifierId: the contact has no identifier %d", n)
		}
		gone := k.Identifiers[i]
		k.Identifiers = slices.Delete(k.Identifiers, i, i+1)
		return []store.Doc{{Kind: identifierDocs, Key: identifierKey(c.guid, gone.Type, gone.Value)}}, nil
	})
}

// scrambleContact leaves of a contact that it was there.
func (a *API) scrambleContact(ctx context.Context, id string) error {
	a.contacts.Lock()
	defer a.contacts.Unlock()
	var k contact
	err := a.readDoc(contactDocs, id, &k)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil
	case err != nil:
		return err
	case k.Scrambled:
		return nil
	case k.MergedInto != "":
		id = k.MergedInto
		if err := a.readDoc(contactDocs, id, &k); err != nil {
			return err
		}
	}
	var docs []store.Doc
	for _, i := range k.Identifiers {
		docs = append(docs, store.Doc{Kind: identifierDocs, Key: identifierKey(k.Department, i.Type, i.Value)})
	}
	doc, err := jsonDoc(contactDocs, id, contact{
		ID: id, Department: k.Department, Created: k.Created, Updated: a.Clock().UTC(), Scrambled: true, Next: k.Next,
	})
	if err != nil {
		return err
	}
	return a.Ledger.PutDocs(ctx, append(docs, doc)...)
}
