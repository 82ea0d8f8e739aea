package frontdoor_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"spillway.example/frontdoor"
	"spillway.example/frontdoor/frontdoortest"
)

// FuzzEvent gives any bytes for an event: what encoding/json refuses is an error, and
// whatever it takes is an answer in JSON or an error, and never a panic. A handler sees
// a request with all that net/http promises of one.
func FuzzEvent(f *testing.F) {
	for _, form := range frontdoortest.Forms() {
		for _, q := range frontdoortest.Requests() {
			if q.Not[form] == "" && len(q.Body) < 1000 {
				event, err := frontdoortest.Event(form, q.Method, q.Target, q.Host, q.Header, []byte(q.Body))
				if err != nil {
					f.Fatal(err)
				}
				f.Add(event)
			}
		}
	}
	f.Add([]byte(`{"username":"alice","password":"correct horse"}`))
	f.Add([]byte(`{"Records":[]}`))
	f.Fuzz(func(t *testing.T, event []byte) {
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil || r.URL == nil || r.Header == nil || int64(len(body)) != r.ContentLength ||
				!strings.Contains(r.RemoteAddr, ":") || (len(body) == 0) != (r.Body == http.NoBody) {
				t.Errorf("a request that net/http would not make: %+v, %v", r, err)
			}
			_, _ = w.Write(body)
		})
		out, err := frontdoor.NewInvoker(h, frontdoor.Options{DirectPath: "/direct", Logger: quiet}).Invoke(context.Background(), event)
		if !json.Valid(event) && err == nil {
			t.Errorf("no error, and %q is not JSON", event)
		}
		if err == nil && !json.Valid(out) {
			t.Errorf("the answer %q is not JSON", out)
		}
	})
}
