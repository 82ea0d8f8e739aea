package frontdoor

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// hostPort makes host:port, IPv6 bracketed, of what a proxy says of its client: an
// address, with or without a port.
func hostPort(s string) string {
	s = strings.TrimSpace(s)
	if strings.IndexByte(s, ':') < 0 {
		return s + ":0" // IPv4 with no port, as almost all are
	}
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.String()
	}
	return net.JoinHostPort(strings.Trim(s, "[]"), "0")
}

// clientHop gives the hop of X-Forwarded-For that the n-th proxy from the right added:
// everything left of it was written by the client.
func clientHop(forwarded []string, n int) (string, bool) {
	all := strings.Join(forwarded, ",")
	for {
		comma := strings.LastIndexByte(all, ',')
		if n--; n == 0 || comma < 0 {
			hop := strings.TrimSpace(all[comma+1:])
			return hop, hop != ""
		}
		all = all[:comma]
	}
}

// forwarded gives h the client's address where the peer is a trusted proxy: the
// right-most hop that no trusted proxy is.
func forwarded(h http.Handler, o Options) http.Handler {
	if len(o.TrustedProxies) == 0 {
		return h
	}
	trusted := func(hop string) bool {
		ap, err := netip.ParseAddrPort(hostPort(hop))
		if err != nil {
			return false
		}
		for _, p := range o.TrustedProxies {
			if p.Contains(ap.Addr().Unmap().WithZone("")) {
				return true
			}
		}
		return false
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		client := r.RemoteAddr
		for n := 1; trusted(client); n++ {
			hop, ok := clientHop(r.Header.Values("X-Forwarded-For"), n)
			if !ok || hostPort(hop) == client {
				break
			}
			client = hostPort(hop)
		}
		if client != r.RemoteAddr {
			r2 := *r
			r2.RemoteAddr = client
			r = &r2
		}
		h.ServeHTTP(w, r)
	})
}
