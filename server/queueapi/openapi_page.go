package queueapi

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The readable page's parts, as its template shows them.
type (
	pageView struct {
		Title, Version, About string
		Groups                []groupView
		Hooks                 []operationView
		Schemas               []schemaView
	}
	groupView struct {
		Name, Anchor string
		Operations   []operationView
	}
	operationView struct {
		Anchor, Method, Path, Summary, About string
		Open                                 bool
		Inputs                               []inputView
		Answers                              []answerView
	}
	inputView struct {
		Name, Where, About string
		Required           bool
		Type               typeView
	}
	answerView struct {
		Status, About string
		Type          typeView
	}
	schemaView struct {
		Name, About string
		Type        typeView
		Members     []inputView
	}
	// typeView is a type in words; Link names the schema it refers to.
	typeView struct{ Before, Link, After string }
)

// describer turns the document into the page.
type describer struct {
	doc, components object
}

func pageOf(doc object) pageView {
	d := describer{doc, member(doc, "components")}
	info := member(doc, "info")
	v := pageView{Title: str(info, "title"), Version: str(info, "version"), About: str(info, "description")}
	groups := map[string]*groupView{}
	for _, tag := range items(doc, "tags") {
		name := str(tag.(object), "name")
		v.Groups = append(v.Groups, groupView{Name: name, Anchor: anchor(name)})
	}
	for i := range v.Groups {
		groups[v.Groups[i].Name] = &v.Groups[i]
	}
	paths := member(doc, "paths")
	for _, path := range slices.SortedFunc(maps.Keys(paths), pathOrder) {
		for _, method := range []string{"get", "post", "put", "patch", "delete"} {
			if op := member(paths[path].(object), method); op != nil {
				g := groups[items(op, "tags")[0].(string)]
				g.Operations = append(g.Operations, d.operation(strings.ToUpper(method), path, op))
			}
		}
	}
	hooks := member(doc, "webhooks")
	for _, name := range slices.Sorted(maps.Keys(hooks)) {
		v.Hooks = append(v.Hooks, d.operation("POST", name, member(hooks[name].(object), "post")))
	}
	schemas := member(d.components, "schemas")
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		s := schemas[name].(object)
		v.Schemas = append(v.Schemas, schemaView{name, str(s, "description"), d.typeOf(s), d.members(s, "")})
	}
	return v
}

// pathOrder puts the two versions of a path beside each other.
func pathOrder(a, b string) int {
	return cmp.Or(strings.Compare(strings.TrimPrefix(a, "/v1"), strings.TrimPrefix(b, "/v1")), strings.Compare(b, a))
}

func anchor(s string) string { return strings.ReplaceAll(strings.ToLower(s), " ", "-") }

func str(o object, name string) string {
	s, _ := o[name].(string)
	return s
}

func items(o object, name string) []any {
	l, _ := o[name].([]any)
	return l
}

// resolve follows a reference to a shared part.
func (d describer) resolve(o object) object {
	name, ok := strings.CutPrefix(str(o, "$ref"), "#/components/")
	if !ok {
		return o
	}
	kind, name, _ := strings.Cut(name, "/")
	return member(member(d.components, kind), name)
}

func (d describer) operation(method, path string, op object) operationView {
	v := operationView{
		Anchor: str(op, "operationId"), Method: method, Path: path, Summary: str(op, "summary"), About: str(op, "description"),
	}
	security, said := op["security"].([]any)
	v.Open = said && len(security) == 0
	for _, p := range items(op, "parameters") {
		p := d.resolve(p.(object))
		v.Inputs = append(v.Inputs, inputView{
			str(p, "name"), str(p, "in"), str(p, "description"), p["required"] == true, d.typeOf(member(p, "schema")),
		})
	}
	v.Inputs = append(v.Inputs, d.body(op)...)
	answers := member(op, "responses")
	for _, status := range slices.Sorted(maps.Keys(answers)) {
		a := d.resolve(answers[status].(object))
		view := answerView{Status: status, About: str(a, "description")}
		if content := member(member(a, "content"), "application/json"); content != nil {
			view.Type = d.typeOf(member(content, "schema"))
		}
		v.Answers = append(v.Answers, view)
	}
	return v
}

// body shows a request's body: the members of an object, else the whole.
func (d describer) body(op object) []inputView {
	content := member(member(op, "requestBody"), "content")
	media, where := member(content, "application/x-www-form-urlencoded"), "form"
	whole := inputView{Name: "body", Where: "JSON", Required: true}
	if media == nil {
		media, where = member(content, "application/json"), "JSON"
	}
	if media == nil {
		return nil
	}
	schema := member(media, "schema")
	if inputs := d.members(d.resolve(schema), where); len(inputs) > 0 {
		return inputs
	}
	whole.Type, whole.About = d.typeOf(schema), str(d.resolve(schema), "description")
	return []inputView{whole}
}

// members lists an object's members, those of what it extends first.
func (d describer) members(s object, where string) []inputView {
	var out []inputView
	for _, base := range items(s, "allOf") {
		out = append(out, d.members(d.resolve(base.(object)), where)...)
	}
	required := items(s, "required")
	properties := member(s, "properties")
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		p, ok := properties[name].(object)
		if !ok {
			continue // false: a member that must not be there
		}
		about := cmp.Or(str(p, "description"), str(d.resolve(p), "description"))
		out = append(out, inputView{name, where, about, slices.Contains(required, any(name)), d.typeOf(p)})
	}
	return out
}

// typeOf says in words what a schema allows.
func (d describer) typeOf(s object) typeView {
	if ref := str(s, "$ref"); ref != "" {
		return typeView{Link: ref[strings.LastIndexByte(ref, '/')+1:]}
	}
	if all := items(s, "allOf"); len(all) > 0 && s["properties"] == nil {
		return d.typeOf(all[0].(object))
	}
	for _, name := range []string{"anyOf", "oneOf"} {
		if options := items(s, name); len(options) > 0 {
			return d.either(options)
		}
	}
	if s["type"] == "array" {
		t := d.typeOf(member(s, "items"))
		t.Before = "list of " + t.Before
		return t
	}
	if v, ok := s["const"]; ok {
		return typeView{Before: fmt.Sprint(v)}
	}
	if words := items(s, "enum"); len(words) > 0 {
		return typeView{Before: joined(words, ", ")}
	}
	kind := str(s, "type")
	if kinds := items(s, "type"); len(kinds) > 0 {
		kind = joined(kinds, " or ")
	}
	return typeView{Before: kind, After: bounds(s)}
}

func (d describer) either(options []any) typeView {
	var words []string
	for _, o := range options {
		t := d.typeOf(o.(object))
		words = append(words, t.Before+t.Link+t.After)
	}
	return typeView{Before: strings.Join(slices.Compact(words), " or ")}
}

func joined(words []any, between string) string {
	var out []string
	for _, w := range words {
		out = append(out, fmt.Sprint(w))
	}
	return strings.Join(out, between)
}

// bounds says what a value is kept within.
func bounds(s object) string {
	var out []string
	low, high := s["minLength"], s["maxLength"]
	switch {
	case low != nil && high != nil:
		out = append(out, fmt.Sprintf("%v to %v characters", low, high))
	case high != nil:
		out = append(out, fmt.Sprintf("at most %v characters", high))
	}
	if low, high = s["minimum"], s["maximum"]; low != nil && high != nil {
		out = append(out, fmt.Sprintf("%v to %v", low, high))
	} else if low != nil {
		out = append(out, fmt.Sprintf("from %v", low))
	}
	for _, name := range []string{"format", "pattern"} {
		if v := str(s, name); v != "" {
			out = append(out, v)
		}
	}
	if len(out) == 0 {
		return ""
	}
	return ", " + strings.Join(out, ", ")
}
