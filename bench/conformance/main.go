// Command conformance holds frontdoor and its peers to frontdoortest's table and writes
// the result, docs/conformance.md. It fails where frontdoor has a difference.
//
//	go run ./bench/conformance docs/conformance.md
package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdaurl"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"

	"spillway.example/frontdoor"
	"spillway.example/frontdoor/frontdoortest"
)

// contender is an adapter under test, and the module it is.
type contender struct {
	name, module string
	adapter      func(frontdoortest.Form) frontdoortest.Adapter // nil where it does not take the form
}

var contenders = []contender{
	{"frontdoor", "", func(frontdoortest.Form) frontdoortest.Adapter {
		return func(h http.Handler) frontdoortest.Invoke { return frontdoor.NewInvoker(h, frontdoor.Options{}).Invoke }
	}},
	{"aws-lambda-go-api-proxy", "github.com/awslabs/aws-lambda-go-api-proxy", apiProxy},
	{"lambdaurl", "github.com/aws/aws-lambda-go", lambdaURL},
}

func apiProxy(form frontdoortest.Form) frontdoortest.Adapter {
	return func(h http.Handler) frontdoortest.Invoke {
		switch form {
		case frontdoortest.ALB, frontdoortest.ALBMulti:
			return lambda.NewHandler(httpadapter.NewALB(h).ProxyWithContext).Invoke
		case frontdoortest.REST:
			return lambda.NewHandler(httpadapter.New(h).ProxyWithContext).Invoke
		default:
			return lambda.NewHandler(httpadapter.NewV2(h).ProxyWithContext).Invoke
		}
	}
}

// lambdaURL is aws-lambda-go's own adapter, which streams: its answer is turned into the
// buffered form for the comparison.
func lambdaURL(form frontdoortest.Form) frontdoortest.Adapter {
	if form != frontdoortest.FunctionURL {
		return nil
	}
	return func(h http.Handler) frontdoortest.Invoke {
		streaming := lambda.NewHandler(lambdaurl.Wrap(h))
		return func(ctx context.Context, event []byte) ([]byte, error) {
			out, err := streaming.Invoke(ctx, event)
			if err != nil {
				return nil, err
			}
			return buffered(out)
		}
	}
}

// buffered turns the stream of a Function URL, a prelude, eight zeros and the body, into
// one answer (AWS Lambda, "Response streaming for Lambda functions").
func buffered(stream []byte) ([]byte, error) {
	prelude, body, ok := bytes.Cut(stream, make([]byte, 8))
	var answer map[string]any
	if err := json.Unmarshal(prelude, &answer); err != nil || !ok {
		return nil, errors.Join(errors.New("the stream has no prelude"), err)
	}
	answer["body"], answer["isBase64Encoded"] = base64.StdEncoding.EncodeToString(body), true
	return json.Marshal(answer)
}

// score is how one adapter did on one form.
type score struct{ rows, failed int }

// failure is one thing that differs: a field of the request, or of the answer.
type failure struct {
	rows    map[string]int // by form
	example string
}

func main() {
	log.SetOutput(io.Discard) // net/http's remarks on handlers that are odd by intent
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return errors.New("usage: conformance FILE")
	}
	var b strings.Builder
	fmt.Fprintf(&b, `# Conformance

Made by `+"`make conformance`"+`: each of %d requests is sent once through a real net/http server and
once through each form of event, and what the handler saw is compared field by field; so is,
for each of %d handlers and GET, HEAD and POST, what the client gets. A row that a door cannot
carry (frontdoortest says which and why) does not count. The table is in
frontdoor/frontdoortest, for anybody's adapter. One habit, such as leaving Host among the
headers, makes every row differ: the tables below say in how many rows each field does.

| rows that differ | %s |
|---|%s
`, len(frontdoortest.Requests()), len(frontdoortest.Answers()), forms(" | "), strings.Repeat("---|", len(frontdoortest.Forms())))
	var details strings.Builder
	ours := 0
	for _, c := range contenders {
		fmt.Fprintf(&b, "| %s |", c.title())
		failures := map[string]*failure{}
		for _, form := range frontdoortest.Forms() {
			adapter := c.adapter(form)
			if adapter == nil {
				b.WriteString(" – |")
				continue
			}
			s, err := measure(form, adapter, func(row string, differences []string) {
				for _, d := range differences {
					field, how, _ := strings.Cut(d, ": ")
					f := failures[field]
					if f == nil {
						f = &failure{rows: map[string]int{}, example: row + ": " + how}
						failures[field] = f
					}
					f.rows[string(form)]++
				}
			})
			if err != nil {
				return err
			}
			fmt.Fprintf(&b, " %d of %d |", s.failed, s.rows)
			if c.module == "" {
				ours += s.failed
			}
		}
		b.WriteString("\n")
		explain(&details, c, failures)
	}
	if err := os.WriteFile(args[0], []byte(b.String()+details.String()), 0o644); err != nil { //nolint:gosec // a document is for everybody to read
		return err
	}
	if ours > 0 {
		return fmt.Errorf("frontdoor differs in %d rows: see %s", ours, args[0])
	}
	fmt.Println("frontdoor differs in no row; the rest is in", args[0])
	return nil
}

// explain lists what differs with an adapter.
func explain(b *strings.Builder, c contender, failures map[string]*failure) {
	if len(failures) == 0 {
		return
	}
	fmt.Fprintf(b, "\n## What differs with %s\n\n| in how many rows | %s | for example |\n|---|%s---|\n",
		c.title(), forms(" | "), strings.Repeat("---|", len(frontdoortest.Forms())))
	for _, field := range slices.Sorted(maps.Keys(failures)) {
		fmt.Fprintf(b, "| %s |", field)
		for _, form := range frontdoortest.Forms() {
			fmt.Fprintf(b, " %d |", failures[field].rows[string(form)])
		}
		fmt.Fprintf(b, " %s |\n", code(failures[field].example))
	}
}

func forms(separator string) string {
	var names []string
	for _, f := range frontdoortest.Forms() {
		names = append(names, string(f))
	}
	return strings.Join(names, separator)
}

// title is a contender's name and version.
func (c contender) title() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || c.module == "" {
		return c.name
	}
	for _, d := range info.Deps {
		if d.Path == c.module {
			return c.name + " " + d.Version
		}
	}
	return c.name
}

// code shows a text in a table's cell as it is.
func code(s string) string {
	s = strings.NewReplacer("|", "\\|", "`", "'", "\n", " ").Replace(s)
	if len(s) > 140 {
		s = s[:140] + "…"
	}
	return "`" + strings.ToValidUTF8(s, "…") + "`"
}

// measure holds an adapter to every row that the form can carry.
func measure(form frontdoortest.Form, a frontdoortest.Adapter, note func(row string, differences []string)) (s score, err error) {
	count := func(row string, differences []string, err error) error {
		if s.rows++; len(differences) > 0 {
			s.failed++
			note(row, differences)
		}
		return err
	}
	for _, q := range frontdoortest.Requests() {
		if q.Not[form] != "" {
			continue
		}
		differences, err := frontdoortest.Check(form, q, a)
		if err := count(q.Name, differences, err); err != nil {
			return s, fmt.Errorf("%s: %w", q.Name, err)
		}
	}
	for _, row := range frontdoortest.Answers() {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
			differences, err := frontdoortest.CheckAnswer(form, method, row, a)
			if err := count(method+" "+row.Name, differences, err); err != nil {
				return s, fmt.Errorf("%s: %w", row.Name, err)
			}
		}
	}
	return s, nil
}
