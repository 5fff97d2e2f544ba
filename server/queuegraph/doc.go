// Package queuegraph is the queue API's GraphQL: queries over HTTP, and
// subscriptions on a socket of that API's own dialect. It gives no commands.
//
// Where to look:
//
//	graph.go        what the package needs, its paths and bounds
//	http.go         POST /graphql and POST /graphql/connection-key
//	socket.go       one socket's life; frames.go what is said on it
//	schema.graphql  the schema: the vendor's, as far as a queue has it
//	query.go search.go            the fields of Query
//	subscribe.go feed.go          the fields of Subscription, and which change fires which
//	world.go        what one answer is made from, and whose it is
//	ticket.go ticket_parts.go house.go hours.go staff.go births.go scalar.go   the types
//	fault.go        errors in the API's terms
//
// A subscription's payload shows the location as it was right after the change.
// The ledger's publisher only takes notes of it (a moment: pointers to what never
// changes); the answer is made by the subscription's own goroutine. Nothing here
// ever makes the publisher wait: who falls behind by more than a bounded queue is
// closed and reads anew.
//
// What looks odd and is meant: a failed query has status 200 and no data; the key
// may be in the socket's URL, because that API has it there, and no log shows it;
// the socket has no subprotocol; a socket that was opened with a temporary key
// outlives it, and goes by the key that the temporary one stands for.
package queuegraph
