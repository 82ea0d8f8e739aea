// Package httpapi is the REST edge that the services share: operations described in
// OpenAPI 3.1 by their own types, errors as problem documents (RFC 9457) with a
// stable code, request ids, limits, and one log line a request.
//
// A service's operation is a function of its input that gives an output or an
// [account.Error]; everything between it and the wire is here, once.
package httpapi
