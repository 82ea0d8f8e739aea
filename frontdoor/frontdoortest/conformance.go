package frontdoortest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Invoke has a function handle one event.
type Invoke func(ctx context.Context, event []byte) ([]byte, error)

// Adapter makes a function of a handler: what is held to the conformance table. One for a
// process, which serves [Handler] already, takes no notice of the handler it is given:
//
//	func(http.Handler) frontdoortest.Invoke { return runtimeAPI.Invoke }
type Adapter func(http.Handler) Invoke

// Check sends a request through a real net/http server and, by an adapter, through a
// door, and gives each difference in what the handler saw, as "field: got …, want …".
func Check(form Form, q Request, a Adapter) (differences []string, err error) {
	q = q.on(form)
	h := Handler()
	overHTTP, err := overHTTP(q, h)
	if err != nil {
		return nil, err
	}
	want, err := decodeSeen(overHTTP)
	if err != nil {
		return nil, fmt.Errorf("over HTTP: %w", err)
	}
	throughDoor, err := through(form, q, a(h))
	if err != nil {
		return []string{"invocation: got " + err.Error()}, nil //nolint:nilerr // that it failed is a difference
	}
	got, err := decodeSeen(throughDoor)
	if err != nil {
		return []string{"invocation: got " + err.Error()}, nil //nolint:nilerr // it too
	}
	got.normalize(form)
	want.normalize(form)
	g, w := reflect.ValueOf(got), reflect.ValueOf(want)
	for i := range g.NumField() {
		if a, b := g.Field(i).Interface(), w.Field(i).Interface(); !reflect.DeepEqual(a, b) {
			differences = append(differences, fmt.Sprintf("%s: got %.200q, want %.200q", g.Type().Field(i).Name, a, b))
		}
	}
	return differences, nil
}

// normalize leaves out what is the door's own, or this client's.
func (s *seen) normalize(form Form) {
	for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Amzn-Trace-Id", "Connection"} {
		delete(s.Header, name)
	}
	if form.reorders() {
		s.RawQuery, s.RequestURI = "", s.EscapedPath
	}
}

// reorders says whether a form keeps no order among query parameters: it is an object.
func (f Form) reorders() bool { return f == ALB || f == ALBMulti || f == REST }

// compared are the headers of an answer that are compared: those that the rows write.
var compared = []string{
	"Cache-Control", "Content-Type", "Content-Encoding", "Etag", "Location", "Set-Cookie", "Vary",
	"Trailer", "Transfer-Encoding", "X-Late", "X-List", "X-Injected", "X-Lower",
}

// CheckAnswer has a handler answer through a real net/http server and, by an adapter,
// through a door, and gives each difference in what the client gets. A direct invocation
// is a POST, and has a status and a body alone.
func CheckAnswer(form Form, method string, row Answer, a Adapter) (differences []string, err error) {
	q := Request{Method: method, Target: answersPath + row.slug(), Host: "service.example.com", Header: http.Header{}}
	if form == Direct {
		q.direct = asking{row.slug()}
	}
	q = q.on(form)
	want, err := overHTTP(q, row.Handler)
	if err != nil {
		return nil, err
	}
	got, err := through(form, q, a(row.Handler))
	if err != nil {
		return []string{"invocation: got " + err.Error()}, nil //nolint:nilerr // that it failed is a difference
	}
	note := func(what string, a, b any) {
		if !reflect.DeepEqual(a, b) {
			differences = append(differences, fmt.Sprintf("%s: got %.200q, want %.200q", what, fmt.Sprint(a), fmt.Sprint(b)))
		}
	}
	note("status", got.status, want.status)
	note("body", got.body, want.body)
	if form == Direct {
		return differences, nil
	}
	if form == ALB { // more than one cookie are members of an object, which keeps no order
		slices.Sort(got.header["Set-Cookie"])
		slices.Sort(want.header["Set-Cookie"])
	}
	for _, name := range compared {
		note(name, list(got.header.Values(name)), list(want.header.Values(name)))
	}
	return differences, nil
}

// list gives the values of a header as the one list that they mean, joined or not (RFC
// 9110 section 5.3).
func list(values []string) string {
	all := strings.Split(strings.Join(values, ","), ",")
	for i, v := range all {
		all[i] = strings.TrimSpace(v)
	}
	return strings.Join(all, ", ")
}

// received is what a client got.
type received struct {
	status int
	header http.Header
	body   string
}

func receive(res *http.Response) (received, error) {
	body, err := io.ReadAll(res.Body)
	return received{res.StatusCode, res.Header, string(body)}, errors.Join(err, res.Body.Close())
}

// overHTTP sends a request, to the letter, to a real net/http server.
func overHTTP(q Request, h http.Handler) (received, error) {
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: time.Minute,
		ErrorLog: log.New(io.Discard, "", 0), // its remarks on what the rows do by intent
	}
	defer func() { _ = server.Close() }() // nobody else uses it
	conn, served := net.Pipe()            // which is cheaper than a port, and there are thousands of rows
	defer conn.Close()
	l := &oneConn{conn: make(chan net.Conn, 1), closed: make(chan struct{})}
	l.conn <- served
	go func() { _ = server.Serve(l) }() // ends with Close
	var wire bytes.Buffer
	fmt.Fprintf(&wire, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n", q.Method, q.Target, q.Host)
	if q.Body != "" {
		fmt.Fprintf(&wire, "Content-Length: %d\r\n", len(q.Body))
	}
	if err := q.Header.Write(&wire); err != nil {
		return received{}, err
	}
	wire.WriteString("\r\n" + q.Body)
	go func() { _, _ = conn.Write(wire.Bytes()) }() // a server that does not read it all still answers
	for in := bufio.NewReader(conn); ; {
		res, err := http.ReadResponse(in, &http.Request{Method: q.Method})
		if err != nil {
			return received{}, fmt.Errorf("over HTTP: %w", err)
		}
		if res.StatusCode >= http.StatusOK { // before that it is informational
			return receive(res)
		}
	}
}

// oneConn is a listener that accepts one connection.
type oneConn struct {
	conn   chan net.Conn
	close  sync.Once
	closed chan struct{}
}

// Accept implements net.Listener.
func (l *oneConn) Accept() (net.Conn, error) {
	select {
	case c := <-l.conn:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *oneConn) Close() error {
	l.close.Do(func() { close(l.closed) })
	return nil
}

// Addr implements net.Listener.
func (*oneConn) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// on gives the request as it is sent to a form's own host; for a direct invocation, one
// that has it all in its event.
func (q Request) on(form Form) Request {
	switch form {
	case FunctionURL:
		q.Host = functionURLHost
	case Direct:
		event := q.direct
		if event == nil {
			event = map[string]any{"method": q.Method, "target": q.Target, "host": q.Host, "header": q.Header, "body": asText(q.Body)}
		}
		body, err := json.Marshal(event)
		if err != nil {
			panic(err) // strings
		}
		q = Request{
			Name: q.Name, Method: http.MethodPost, Target: DirectPath, Not: q.Not,
			Header: http.Header{"Content-Type": {"application/json"}}, Body: string(body),
		}
	}
	return q
}

// asText gives a body as JSON has it: text, or in base64.
func asText(body string) any {
	if utf8.ValidString(body) {
		return body
	}
	return []byte(body)
}

func through(form Form, q Request, invoke Invoke) (received, error) {
	event, err := Event(form, q.Method, q.Target, q.Host, q.Header, []byte(q.Body))
	if err != nil {
		return received{}, err
	}
	answer, err := invoke(context.Background(), event)
	if err != nil {
		return received{}, err
	}
	res, err := Response(form, answer)
	if err != nil {
		return received{}, err
	}
	return receive(res)
}
