package chatapi

import (
	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/auth"
)

// getToken is POST /token/get.
func getToken(c *call) (any, error) {
	var in struct{ APIKey, APISecret, UserName string }
	c.decode(&in)
	for _, f := range []struct{ name, value string }{
		{"apiKey", in.APIKey}, {"apiSecret", in.APISecret}, {"userName", in.UserName},
	} {
		if f.value == "" {
			c.wrong(wire.FieldError(f.name, "%s is missing", f.name))
		}
	}
	if c.err != nil {
		return nil, c.err
	}
	token, _, err := c.Tokens.ExchangeChat(c.r.Context(), in.APIKey, in.APISecret, in.UserName)
	if err != nil {
		return nil, err
	}
	return struct {
		Token   string `json:"access_token"`
		Type    string `json:"token_type"`
		Expires int    `json:"expires_in"`
	}{token, "bearer", int(auth.ChatTokenTTL.Seconds())}, nil
}
