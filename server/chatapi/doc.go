// Package chatapi is the door in the form of the conversation ticket: the REST
// operations that the official client libraries of that API call.
//
// Every operation decodes, authenticates, builds one command with one identity
// and hands it to the ledger, then renders. Nothing is decided here that the
// domain can decide; what is checked here is the form that this API promises.
//
// Where to look:
//
//	api.go        what the package needs
//	routes.go     every operation in one table
//	serve.go      token, rate limit, body, the error envelope
//	params.go     query parameters and JSON bodies; value.go single values
//	thread.go     a ticket with its thread, however long
//	settings.go   what a department has: tags, surveys, texts, senders;
//	              settings_admin.go is how administrators change it
//	ticket*.go    tickets; create.go makes them; list.go pages through them
//	contact*.go user*.go tenant.go reply.go message.go document.go  the rest
//	file*.go      uploaded files and their signed links
//	export*.go    a conversation as a page and as a PDF
//	page.go       the pages behind links: surveys and documents
//	event.go      what other systems are told; index.go what lists need
//	scrub.go      what an erasure takes beside the journal
//	messenger.go  messages without a ticket, on their way
//	sweep.go      what happens by itself: idle close, alerts, waking
//
// What looks odd and is meant: paths and names of parameters are matched without
// regard to case, no success is without a body, and unknown members are passed
// over, because existing clients count on all three.
//
// # Documents
//
//	chat.department {guid}     settings of a department
//	chat.user {user}           what a user is in this API beside the directory
//	chat.status:{user} {time}  a change of a user's status
//	chat.contact {guid}        a contact; chat.identifier {hash} finds it
//	chat.link {ticket}         contacts and files of a ticket, and the tickets that it
//	                           was moved to, for its erasure
//	chat.loose {id}            an uploaded file that no message carries yet
//	chat.scrub {ticket}        an erasure whose files and contacts have to go
//	chat.file {id}             an uploaded file's description
//	chat.reply:{location} {id} a canned reply
//	chat.act:{location}:{day} {open}.{ticket}  an old ticket had activity that day
//	chat.message {time.guid}   a message without a ticket that waits to be sent
//	chat.sent {time.guid}      one that was, until nobody asks any more
//	chat.survey {id}, chat.form {id}           a link that was given out
//
// Lock order: API.contacts, API.profiling, API.settling; each is held for a
// document's read, change and write, never while waiting for anything else.
package chatapi
