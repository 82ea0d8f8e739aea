// Command plain is net/http's server as it comes, with the status handler of examples/echo.
package main

import (
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
)

func main() {
	fixed := map[string]http.HandlerFunc{"/none": nil}
	counted := map[string]func(http.ResponseWriter, *http.Request, int){
		"status": func(w http.ResponseWriter, _ *http.Request, code int) { w.WriteHeader(code) },
	}
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h, ok := fixed[r.URL.Path]; ok {
			h(w, r)
			return
		}
		name, number, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		if h, ok := counted[name]; ok {
			if n, err := strconv.ParseUint(number, 10, 31); err == nil {
				h(w, r, int(n))
			}
		}
	})
	log.Fatal(http.ListenAndServe(os.Getenv("LISTEN_HOST")+":"+os.Getenv("PORT"), h)) //nolint:gosec // no timeouts: as it comes
}
