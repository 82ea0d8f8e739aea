package httpapi

import (
	"net/http"

	"github.com/swaggest/swgui"
	"github.com/swaggest/swgui/v5emb"
)

// docsPolicy lets the page load what this service serves and nothing else; the
// page's own start-up script is inline.
const docsPolicy = "default-src 'none'; connect-src 'self'; img-src 'self' data:; " +
	"script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'"

// addDocs adds /docs, a page for reading and trying the operations, with its assets
// embedded.
func (a *API) addDocs(title string) {
	page := v5emb.NewHandlerWithConfig(swgui.Config{
		Title: title, SwaggerJSON: "/openapi.json", BasePath: "/docs/", HideCurl: false,
		SettingsUI: map[string]string{"validatorUrl": "null"}, // its badge is another host's
	})
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", docsPolicy)
		page.ServeHTTP(w, r)
	})
	a.Mux.Handle("GET /docs", h)
	a.Mux.Handle("GET /docs/", h)
}
