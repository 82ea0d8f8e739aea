// Package signin is what the measurements serve: a sign-in as a service answers it, and
// the events that ask for it.
package signin

import (
	"embed"
	"io"
	"net/http"
)

// Events are made by hand in the shapes of frontdoor's recorded ones: a sign-in of about
// 1.2 KB with the headers that a browser sends, one file a door.
//
//go:embed events/*.json
var Events embed.FS

// Handler is a handler such as a service has: it reads the body and answers in JSON.
var Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || len(body) == 0 {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(Answer) // a client that has gone is no concern here
})

// Answer is the body of the answer.
var Answer = []byte(`{"access_token":"eyJraWQiOiJ4IiwiYWxnIjoiRVMyNTYifQ.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl","token_type":"Bearer","expires_in":3600}`)
