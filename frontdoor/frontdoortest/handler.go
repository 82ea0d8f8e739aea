package frontdoortest

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"unicode"
)

// DirectPath is where a function that serves [Handler] takes direct invocations.
const DirectPath = "/frontdoortest/direct"

// Handler is what the table is held to: it answers with what it saw, or, where it is
// asked for a row of [Answers], as that row's handler. [Check] and [CheckAnswer] give it
// to an adapter; a process under test serves it itself, with [DirectPath] for direct
// invocations.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		noBody := r.Body == http.NoBody
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, "reading the body: "+err.Error(), http.StatusBadRequest)
			return
		}
		if h, ok := rows()[asked(r, body)]; ok {
			h(w, r)
			return
		}
		text := look(r, string(body), noBody).encode()
		if r.Method == http.MethodHead {
			w.Header().Set(seenHeader, text)
			return
		}
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, text) // a client that has gone is no concern here
	})
}

// seenHeader has what a handler saw where the answer has no body.
const seenHeader = "X-Frontdoortest-Seen"

// answersPath is where the rows of Answers are, each by its slug.
const answersPath = "/frontdoortest/answers/"

// asking is a direct event that asks for a row of Answers.
type asking struct {
	Answer string `json:"frontdoortest_answer"`
}

// asked gives the slug of the row that a request asks for.
func asked(r *http.Request, body []byte) string {
	var direct asking
	if r.URL.Path == DirectPath && json.Unmarshal(body, &direct) == nil && direct.Answer != "" {
		return direct.Answer
	}
	s, _ := strings.CutPrefix(r.URL.Path, answersPath)
	return s
}

// rows are the handlers of Answers, by slug.
var rows = sync.OnceValue(func() map[string]http.HandlerFunc {
	m := map[string]http.HandlerFunc{}
	for _, a := range Answers() {
		m[a.slug()] = a.Handler
	}
	return m
})

// slug is a row's name as it stands in a path through every door.
func (a Answer) slug() string {
	return strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return '-'
		}
		return r
	}, a.Name)
}

// seen is what a handler saw.
type seen struct {
	Method, RequestURI, Path, EscapedPath, RawQuery, Host, Proto string
	Query                                                        map[string][]string
	Form                                                         map[string][]string
	Header                                                       map[string][]string
	Cookies                                                      []string
	ContentLength                                                int64
	NoBody                                                       bool
	Body                                                         string // where it is long, its beginning and its hash
}

func look(r *http.Request, body string, noBody bool) seen {
	s := seen{
		Method: r.Method, RequestURI: r.RequestURI, Path: r.URL.Path, EscapedPath: r.URL.EscapedPath(), RawQuery: r.URL.RawQuery,
		Host: r.Host, Proto: r.Proto, Query: r.URL.Query(), Header: r.Header.Clone(),
		ContentLength: r.ContentLength, NoBody: noBody, Body: body,
	}
	const long = 4 << 10
	if len(body) > long {
		s.Body = fmt.Sprintf("%s… %x", body[:long], sha256.Sum256([]byte(body)))
	}
	for _, c := range r.Cookies() {
		s.Cookies = append(s.Cookies, c.String())
	}
	r.Body = io.NopCloser(strings.NewReader(body))
	if r.ParseForm() == nil {
		s.Form = r.PostForm
	}
	return s
}

// encode gives s as text that passes through any door.
func (s seen) encode() string {
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(s); err != nil {
		panic(err) // strings and numbers
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

func decodeSeen(r received) (s seen, err error) {
	text := r.header.Get(seenHeader)
	if text == "" {
		text = r.body
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err == nil {
		err = gob.NewDecoder(bytes.NewReader(b)).Decode(&s)
	}
	if err != nil {
		return s, fmt.Errorf("the answer %d %.200q is not what the handler gave: %w", r.status, r.body, err)
	}
	return s, nil
}
