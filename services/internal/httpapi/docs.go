package httpapi

import (
	"html"
	"io"
	"net/http"
	"strings"

	"github.com/swaggest/swgui/v5/static"
	"github.com/vearutop/statigz"
)

// docsPolicy lets the page load what this service serves and nothing else.
const docsPolicy = "default-src 'none'; connect-src 'self'; img-src 'self' data:; " +
	"script-src 'self'; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'"

// The page is written out here, and not by swgui's own handler: that one needs
// html/template, with which the linker has to keep every method of every type, among
// them all of the AWS SDK's; it makes the binaries larger by a third.
const (
	docsPage = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>TITLE</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" href="/docs/favicon-32x32.png" type="image/png">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`
	// validatorUrl would have a badge drawn by another host.
	docsStart = `SwaggerUIBundle({url: "/openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null})
`
)

// addDocs adds /docs, a page for reading and trying the operations, with its assets
// embedded.
func (a *API) addDocs(title string) {
	page := strings.Replace(docsPage, "TITLE", html.EscapeString(title), 1)
	a.Mux.Handle("GET /docs", docsText("text/html; charset=utf-8", page))
	a.Mux.Handle("GET /docs/{$}", docsText("text/html; charset=utf-8", page))
	a.Mux.Handle("GET /docs/start.js", docsText("text/javascript; charset=utf-8", docsStart))
	a.Mux.Handle("GET /docs/", http.StripPrefix("/docs", statigz.FileServer(static.FS)))
}

func docsText(media, text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", docsPolicy)
		w.Header().Set("Content-Type", media)
		_, _ = io.WriteString(w, text) // the reader may have gone
	})
}
