package chatapi

import "strings"

// operation carries a call out and says what to answer with 200.
type operation func(c *call) (any, error)

// route is one operation and what it needs.
type route struct {
	do operation
	// id says that the path ends with one.
	id bool
	// open needs no token; read may be called by who may only read; admin is for
	// administrators; send has its own rate.
	open, read, admin, send bool
	// raw operations read the body themselves.
	raw bool
}

// routes is every operation by method and path.
func routes() map[string]route {
	all := map[string]route{
		"POST token/get": {do: getToken, open: true},

		"POST tickets/create":              {do: createTicket},
		"GET tickets/get":                  {do: getTicket, id: true, read: true},
		"GET tickets/list":                 {do: listTickets, read: true},
		"POST tickets/send":                {do: send, id: true},
		"PUT tickets/setstate":             {do: setState, id: true},
		"PUT tickets/setfields":            {do: setFields, id: true},
		"PUT tickets/setparticipantname":   {do: setParticipantName, id: true},
		"PUT tickets/setowner":             {do: setOwner, id: true},
		"PUT tickets/assignavailableuser":  {do: assignAvailable, id: true},
		"PUT tickets/setdepartment":        {do: setDepartment, id: true},
		"POST tickets/addtags":             {do: addTags, id: true},
		"DELETE tickets/removetag":         {do: removeTag, id: true},
		"POST tickets/addnote":             {do: addNote, id: true},
		"POST tickets/setsummary":          {do: setSummary, id: true},
		"DELETE tickets/scramble":          {do: scramble, id: true},
		"POST tickets/pdf":                 {do: exportPDF, id: true, read: true},
		"POST tickets/html":                {do: exportHTML, id: true, read: true},
		"POST tickets/generatesurveylink":  {do: surveyLink, id: true},
		"GET users/allusers":               {do: allUsers, read: true},
		"PUT users/setstatus":              {do: setStatus, read: true},
		"GET users/getstatus":              {do: getStatus, read: true},
		"POST users/add":                   {do: addUsers, admin: true},
		"DELETE users/delete":              {do: deleteUser, admin: true},
		"PUT users/setuniqueargument":      {do: setUserArgument, read: true},
		"GET users/getbyuniqueargument":    {do: userByArgument, read: true},
		"POST users/update":                {do: updateUser, read: true},
		"POST users/setroles":              {do: setRoles, admin: true},
		"GET users/statuslogs":             {do: statusLogs, read: true},
		"GET tenants/isonline":             {do: isOnline, open: true},
		"GET tenants/gettags":              {do: getTags, read: true},
		"GET contacts/get":                 {do: getContact, id: true, read: true},
		"PUT contacts/setname":             {do: setContactName, id: true},
		"POST contacts/addidentifier":      {do: addIdentifier, id: true},
		"PUT contacts/setuniqueargument":   {do: setContactArgument, id: true},
		"DELETE contacts/deleteidentifier": {do: deleteIdentifier, id: true},
		"GET cannedreplies/getall":         {do: allReplies, read: true},
		"POST cannedreplies/add":           {do: addReply},
		"DELETE cannedreplies/delete":      {do: deleteReply},
		"POST interactivedocuments/send":   {do: sendDocument, id: true},
		"POST protocols/send":              {do: sendMessage, send: true},
		"POST phonecalls/started":          {do: callStarted, id: true},
		"POST phonecalls/ended":            {do: callEnded, id: true},
		"POST phonecalls/audiolink":        {do: callRecorded, id: true},
		"POST files/upload":                {do: upload, raw: true},
		"GET webhooks/getevents":           {do: getEvents, read: true},
		"POST webhooks/deleteevents":       {do: deleteEvents, read: true},
	}
	return all
}

// Prefix begins every path of the API.
const Prefix = "/api/v1.2/"

// Owns reports whether a path is one of this API's, for the node's own router:
// the operations, and the pages and files behind links.
func Owns(path string) bool {
	p := strings.ToLower(path)
	for _, prefix := range []string{"/api/", filePrefix, pagePrefix} {
		if strings.HasPrefix(p, prefix) {
			return true
		}
	}
	return false
}

// split tells a path's operation and the id behind it.
func split(path string) (operation, id string, ok bool) {
	if len(path) < len(Prefix) || !strings.EqualFold(path[:len(Prefix)], Prefix) {
		return "", "", false
	}
	parts := strings.Split(strings.TrimSuffix(path[len(Prefix):], "/"), "/")
	switch len(parts) {
	case 2:
		return strings.ToLower(parts[0] + "/" + parts[1]), "", true
	case 3:
		return strings.ToLower(parts[0] + "/" + parts[1]), parts[2], true
	}
	return "", "", false
}
