package outbox

import "github.com/nowserving/nowserving/server/queueapi"

var _ queueapi.Webhooks = QueueWebhooks{}
