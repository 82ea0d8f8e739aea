package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"spillway.example/frontdoor/frontdoortest"
)

// behaviours are what the table is about, each with the fields of a request or an answer
// that show it.
var behaviours = []struct {
	name   string
	fields []string
}{
	{"method and protocol", []string{"Method", "Proto"}},
	{"path, and the request line", []string{"Path", "EscapedPath", "RequestURI"}},
	{"query", []string{"RawQuery", "Query"}},
	{"host", []string{"Host"}},
	{"headers of the request", []string{"Header"}},
	{"cookies of the request", []string{"Cookies"}},
	{"body of the request, its length, and forms in it", []string{"Body", "ContentLength", "NoBody", "Form"}},
	{"answers are given at all", []string{"invocation"}},
	{"status of the answer", []string{"status"}},
	{"body of the answer", []string{"body"}},
	{"type and encoding of the answer", []string{"Content-Type", "Content-Encoding"}},
	{"cookies of the answer", []string{"Set-Cookie"}},
	{"other headers of the answer", []string{"Cache-Control", "Etag", "Location", "Vary", "X-List", "X-Lower"}},
	{"headers that are written too late, or are none", []string{"X-Late", "X-Injected", "Trailer", "Transfer-Encoding"}},
}

// count notes a row and what differs in it.
func (r *result) count(form frontdoortest.Form, row string, differences []string) {
	if r.rows[form]++; len(differences) > 0 {
		r.differ[form]++
	}
	counted := map[string]bool{} // a behaviour counts once a row
	for _, d := range differences {
		name, how, _ := strings.Cut(d, ": ")
		for _, b := range behaviours {
			if slices.Contains(b.fields, name) {
				name = b.name
			}
		}
		f := r.fields[name]
		if f == nil {
			f = &field{rows: map[frontdoortest.Form]int{}, example: row + ": " + how}
			r.fields[name] = f
		}
		if !counted[name] {
			f.rows[form]++
		}
		counted[name] = true
	}
}

func document(results []result) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Conformance

Made by `+"`make conformance`"+`. Each of %d requests is sent once through a real net/http server and
once through each door, and what the handler saw is compared field by field; so is, for each
of %d handlers and GET, HEAD and POST, what the client gets. A direct invocation takes the same
requests as the JSON of its event. The table is in frontdoor/frontdoortest, for anybody's
adapter.

In how many rows something differs:

`, len(frontdoortest.Requests()), len(frontdoortest.Answers()))
	heading(&b, "", "")
	for _, r := range results {
		fmt.Fprintf(&b, "| %s |", r.title())
		for _, form := range frontdoortest.Forms() {
			if r.rows[form] == 0 {
				b.WriteString(" – |")
				continue
			}
			fmt.Fprintf(&b, " %d of %d |", r.differ[form], r.rows[form])
		}
		b.WriteString("\n")
	}
	b.WriteString("\nA peer's one habit, such as leaving Host among the headers, makes every row differ. So, by what\nit is that differs:\n")
	for _, r := range results {
		if r.name == "frontdoor" || r.module != "" {
			r.explain(&b)
		}
	}
	b.WriteString("\n## What a door cannot carry\n\nThese rows do not count for these doors: what came in is lost before a function sees it.\n\n| request | door | why |\n|---|---|---|\n")
	for _, q := range frontdoortest.Requests() {
		doors := map[string][]string{} // by why
		for _, form := range frontdoortest.Forms() {
			if why := q.Not[form]; why != "" {
				doors[why] = append(doors[why], string(form))
			}
		}
		for _, why := range slices.Sorted(maps.Keys(doors)) {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", code(q.Name), strings.Join(doors[why], ", "), why)
		}
	}
	b.WriteString(`
Nor do these fit into any row:

- Header values that are no UTF-8, and trailers: JSON and the doors have no room for them.
- The order of different query parameters, and of headers: behind a load balancer or a REST
  API they are members of an object.
- 1xx answers, and 101 Switching Protocols: a function answers once.
- Hijacking a connection: http.ResponseController says that it is not supported.
- What net/http itself puts on the wire of one connection: Date, Connection, Keep-Alive,
  Transfer-Encoding, and the Content-Length of a HEAD that the handler does not give.
`)
	return b.String()
}

// explain says of each behaviour whether it is as over HTTP.
func (r result) explain(b *strings.Builder) {
	fmt.Fprintf(b, "\n## %s\n\n", r.title())
	heading(b, " for example |", "---|")
	for _, behaviour := range behaviours {
		f := r.fields[behaviour.name]
		if f == nil {
			f = new(field)
		}
		fmt.Fprintf(b, "| %s |", behaviour.name)
		for _, form := range frontdoortest.Forms() {
			cell(b, f.rows[form], r.rows[form])
		}
		fmt.Fprintf(b, " %s |\n", code(f.example))
	}
}

// cell says in how many of so many rows something differs.
func cell(b *strings.Builder, differ, rows int) {
	switch {
	case rows == 0:
		b.WriteString(" – |")
	case differ == 0:
		b.WriteString(" equal |")
	default:
		fmt.Fprintf(b, " %d of %d |", differ, rows)
	}
}

// heading begins a table with a column for each form.
func heading(b *strings.Builder, more, rule string) {
	b.WriteString("| |")
	for _, f := range frontdoortest.Forms() {
		fmt.Fprintf(b, " %s |", f)
	}
	fmt.Fprintf(b, "%s\n|---|%s%s\n", more, strings.Repeat("---|", len(frontdoortest.Forms())), rule)
}

// code shows a text in a table's cell as it is.
func code(s string) string {
	if s == "" {
		return ""
	}
	s = strings.NewReplacer("|", "\\|", "`", "'", "\n", " ").Replace(s)
	if len(s) > 140 {
		s = s[:140] + "…"
	}
	return "`" + strings.ToValidUTF8(s, "…") + "`"
}
