package sms

import (
	"testing"

	"github.com/nowserving/nowserving/server/queueapi"
)

// The door names tickets in the documents that gateways look for.
func TestDoorAndGatewayAgree(t *testing.T) {
	if Docs != queueapi.OutboxDocs {
		t.Errorf("the gateway reads %q, the door writes %q", Docs, queueapi.OutboxDocs)
	}
	var _ queueapi.Gateway = (*Sender)(nil)
}
