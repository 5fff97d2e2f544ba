package chatapi

import (
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nowserving/nowserving/hub/ticket"
	"github.com/nowserving/nowserving/hub/wire"
)

// guidOf draws a GUID.
func (a *API) guidOf() (string, error) {
	var raw [16]byte
	if _, err := io.ReadFull(a.Random, raw[:]); err != nil {
		return "", fmt.Errorf("draw a GUID: %w", err)
	}
	raw[6], raw[8] = raw[6]&0x0f|0x40, raw[8]&0x3f|0x80
	x := hex.EncodeToString(raw[:])
	return strings.Join([]string{x[:8], x[8:12], x[12:16], x[16:20], x[20:]}, "-"), nil
}

// parseGUID reads a GUID in any case, with or without braces; what it gives is
// lower case.
func parseGUID(s string) (string, bool) {
	s = strings.ToLower(strings.Trim(strings.TrimSpace(s), "{}"))
	if len(s) != 36 {
		return "", false
	}
	for i, r := range s {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if r != '-' {
				return "", false
			}
		} else if (r < '0' || r > '9') && (r < 'a' || r > 'f') {
			return "", false
		}
	}
	return s, true
}

// parseID reads an id: digits, from 1, of 31 bits.
func parseID(s string) (int64, bool) {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 32)
	return n, err == nil && n > 0
}

// word finds a value among those that there are, whatever its case.
func word(field, v string, all ...string) (string, error) {
	for _, one := range all {
		if strings.EqualFold(one, v) {
			return one, nil
		}
	}
	return "", wire.FieldError(field, "%s is one of %s", field, strings.Join(all, ", "))
}

// protocols are the channels of the conversation form.
func protocols() []string {
	return []string{
		"SMS", "WhatsApp", "Mail", "Web", "FBmessenger", "WebViaSMS", "TelegramBot", "FacebookFeed", "InstagramFeed", "PhoneCall",
		"InstagramDM", "Viber", "Twitter", "AppleBusinessChat", "GoogleBusinessMessages", "GoogleBusinessReviews",
	}
}

// protocol reads a channel; one of its names has an alias that clients write.
func protocol(field, v string) (string, error) {
	if strings.EqualFold(v, "FacebookMessenger") {
		return "FBmessenger", nil
	}
	return word(field, v, protocols()...)
}

// byPhone reports whether a channel knows people by their phone number.
func byPhone(protocol string) bool {
	return slices.Contains([]string{"SMS", "WhatsApp", "PhoneCall", "WebViaSMS", "Viber"}, protocol)
}

// normalIdentifier checks a customer's identifier on a channel and writes it in
// one way, so that the same person is found again.
func normalIdentifier(field, protocol, v string) (string, error) {
	v = strings.TrimSpace(v)
	switch {
	case v == "":
		return "", wire.FieldError(field, "%s is missing", field)
	case len(v) > 254:
		return "", wire.FieldError(field, "%s has at most 254 characters", field)
	case byPhone(protocol):
		digits := strings.NewReplacer("+", "", " ", "", "-", "", "(", "", ")", "").Replace(v)
		if len(digits) < 5 || len(digits) > 20 || strings.Trim(digits, "0123456789") != "" {
			return "", wire.FieldError(field, "%s: a phone number has 5 to 20 digits", field)
		}
		return digits, nil
	case protocol == ticket.ProtocolMail:
		at := strings.LastIndexByte(v, '@')
		if at < 1 || at == len(v)-1 || strings.ContainsAny(v, " \t\r\n") {
			return "", wire.FieldError(field, "%s is not an e-mail address", field)
		}
		return strings.ToLower(v), nil
	}
	return v, nil
}

// listTime is how times come in queries and phone calls: the last part counts
// hundredths of a second.
const listTime = "02/01/2006 15:04:05"

// parseListTime reads dd/MM/yyyy HH:mm:ss:ff in UTC. Some clients build it with
// the separators of their own country.
func parseListTime(v string) (time.Time, bool) {
	v = strings.TrimSpace(v)
	if len(v) != len("02/01/2006 15:04:05:00") {
		return time.Time{}, false
	}
	b := []byte(v)
	for i, want := range []byte("02/01/2006 15:04:05:00") {
		digit := b[i] >= '0' && b[i] <= '9'
		switch {
		case want >= '0' && want <= '9':
			if !digit {
				return time.Time{}, false
			}
		case strings.IndexByte("/.-:, ", b[i]) < 0:
			return time.Time{}, false
		default:
			b[i] = want
		}
	}
	t, err := time.ParseInLocation(listTime, string(b[:19]), time.UTC)
	hundredths, bad := strconv.Atoi(string(b[20:]))
	if err != nil || bad != nil {
		return time.Time{}, false
	}
	return t.Add(time.Duration(hundredths) * 10 * time.Millisecond), true
}

// parseDate reads dd/MM/yyyy.
func parseDate(v string) (time.Time, bool) {
	t, err := time.ParseInLocation("02/01/2006", strings.NewReplacer(".", "/", "-", "/").Replace(strings.TrimSpace(v)), time.UTC)
	return t, err == nil
}

// parseISO reads an ISO 8601 time, UTC where it names no zone; "never" is zero.
func parseISO(v string) (time.Time, bool) {
	v = strings.TrimSpace(v)
	if v == "" || strings.HasPrefix(v, "0001-01-01") {
		return time.Time{}, true
	}
	for _, form := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(form, v, time.UTC); err == nil {
			return t.UTC().Truncate(time.Millisecond), t.Year() >= 1970 && t.Year() < 3000
		}
	}
	return time.Time{}, false
}

// zoned writes a time with its zone, for the parts of the form that do.
func zoned(t time.Time) string {
	if t.IsZero() {
		return ticket.ChatNever + "Z"
	}
	return t.UTC().Format("2006-01-02T15:04:05.999Z")
}
