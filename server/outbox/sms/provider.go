package sms

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// DefaultBase is where the provider's API is.
const DefaultBase = "https://api.twilio.com"

// maxAnswer bounds what is read of the provider's answers.
const maxAnswer = 64 << 10

// Provider speaks the HTTP API that SMS providers have in common.
type Provider struct {
	// Base is the API's address, DefaultBase when "".
	Base string
	// Account and Token sign in, and Token signs callbacks. Never logged.
	Account, Token string
	// From is the sender's number, or its name.
	From string
	// Client carries requests; each has a deadline of its own.
	Client *http.Client
}

// errRefused says that a message will never arrive, whoever tries again.
var errRefused = errors.New("sms: refused for good")

// post hands one message over, in the provider's form, and gives the provider's id
// of it. errRefused is final; any other error may go away.
func (p *Provider) post(ctx context.Context, form url.Values) (id string, err error) {
	base := p.Base
	if base == "" {
		base = DefaultBase
	}
	at := strings.TrimSuffix(base, "/") + "/2010-04-01/Accounts/" + url.PathEscape(p.Account) + "/Messages.json"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, at, strings.NewReader(form.Encode()))
	if err != nil {
		return "", errors.New("sms: the provider's address is wrong") // the error would hold it
	}
	req.SetBasicAuth(p.Account, p.Token)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	res, err := p.Client.Do(req)
	if err != nil {
		// The library's text holds the URL, and so the account.
		var outer *url.Error
		if errors.As(err, &outer) {
			err = outer.Err
		}
		return "", fmt.Errorf("sms: no answer: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	var answer struct {
		SID  string `json:"sid"`
		Code int    `json:"code"`
	}
	decoded := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(&answer)
	switch {
	case res.StatusCode >= 200 && res.StatusCode <= 299:
		if decoded != nil || answer.SID == "" {
			// It was taken, so sending again would only send twice.
			return "", nil
		}
		return answer.SID, nil
	case res.StatusCode == http.StatusBadRequest && decoded == nil && !ourFault(answer.Code):
		return "", fmt.Errorf("%w: code %d", errRefused, answer.Code)
	}
	return "", fmt.Errorf("sms: status %d, code %d", res.StatusCode, answer.Code)
}

// ourFault reports whether an error code is about the account or its sender, not
// about the message: then the message waits until that is put right.
func ourFault(code int) bool {
	return code < 21000 || slices.Contains([]int{
		21212, // the sender is not valid
		21603, // there is no sender
		21606, // the sender cannot send messages
		21611, // the sender's queue is full
		21618, 21659, 21660, 21661,
	}, code)
}

// statusOf translates the provider's status; "" for those that change nothing.
func statusOf(word string) string {
	switch word {
	case "sent":
		return "SENT"
	case "delivered", "read":
		return "DELIVERED"
	case "undelivered", "failed":
		return "INVALID_NUMBER"
	}
	return "" // accepted, scheduled, queued, sending: it has them, as we know
}
