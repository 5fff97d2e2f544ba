// Package queueapi is the door in the form of the queue ticket: the REST
// operations that the official client libraries of that API call.
//
// Every operation does the same four things: decode, authenticate, build one
// command with one identity and hand it to the ledger, render. Nothing is
// decided here that the domain can decide; what is checked here is only the
// form that this API promises (lengths, patterns, required members).
//
// Where to look:
//
//	api.go        what the package needs, and its handler
//	routes.go     every operation in one table
//	serve.go      key, rate limit, version header, CORS, trailing slash
//	fault.go      the error envelope
//	params.go     parameters from query, form and JSON; value.go single values
//	ticket*.go    tickets; search.go finds them; render.go shows them
//	location.go line.go user.go display.go field.go appointment.go  the rest
//	zone.go       a time zone from coordinates
//	openapi.go    the description that is served, openapi_page.go for people
//
// What looks odd and is meant: the words "undefined" and "null" are absent
// values in version-1 parameters, because existing clients send them; every
// answer in that version has a JSON object with statusCode, because existing
// clients read nothing else; no path ever redirects, because a redirect turns
// their POST into a GET.
package queueapi
