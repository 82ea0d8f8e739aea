package account

import (
	"context"
	"net/netip"
)

type clientKey struct{}

// WithClient gives a context that says where a request came from. An edge that does
// not know, as that of a direct invocation, leaves it out.
func WithClient(ctx context.Context, addr netip.Addr) context.Context {
	return context.WithValue(ctx, clientKey{}, addr)
}

// clientOf names the network that a request came from, or gives "". One household or
// one server has a whole /64 of IPv6 addresses (RFC 6177), and may use another for
// each request.
func clientOf(ctx context.Context) string {
	addr, _ := ctx.Value(clientKey{}).(netip.Addr)
	addr = addr.Unmap().WithZone("")
	switch {
	case !addr.IsValid():
		return ""
	case addr.Is6():
		return netip.PrefixFrom(addr, 64).Masked().String()
	}
	return addr.String()
}
