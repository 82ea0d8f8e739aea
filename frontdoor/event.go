package frontdoor

import (
	"errors"
	"sync"
)

// event is one invocation's event, and which door it came through.
type event struct {
	text string // as it is scanned: Lambda's loop uses the bytes that it came in again
	door Door
	// multi says that headers are lists, in the event and so in the answer (ALB).
	multi bool
	*fields
}

// fields are the fields that any of the doors uses, scanned once. They are only needed
// until the request is made of them, and then go to the next event.
type fields struct {
	method, path, rawPath, rawQuery, body    jsonString
	base64                                   bool
	domain, sourceIP                         string // of requestContext
	cookies                                  []string
	headers, multiHeaders, query, multiQuery []pair
}

var fieldsPool = sync.Pool{New: func() any { return new(fields) }}

// release gives the fields back, with nothing of this event in them.
func (f *fields) release() {
	*f = fields{
		cookies: emptied(f.cookies), headers: emptied(f.headers), multiHeaders: emptied(f.multiHeaders),
		query: emptied(f.query), multiQuery: emptied(f.multiQuery),
	}
	fieldsPool.Put(f)
}

// emptied gives the memory of a list for the next one, unless it is too much to keep.
func emptied[T any](list []T) []T {
	if cap(list) > manyPairs {
		return nil
	}
	clear(list)
	return list[:0]
}

// manyPairs is the longest list that is kept.
const manyPairs = 256

// pair is one name and value of an object of strings, or one of each value of an
// object of lists.
type pair struct{ name, value string }

var (
	errNotJSON  = errors.New("the event is not valid JSON")
	errNotHTTP  = errors.New("the event is no HTTP request, and Options.Events is not set")
	errNoDirect = errors.New("the event is a direct invocation, and neither Options.DirectPath nor Options.Events is set")
)

// marks are what tells the doors apart.
type marks struct {
	object         bool
	requestContext bool
	elb            bool
	http           bool // requestContext.http
	version2       bool
	method         bool
	service        bool // Records, source or detail-type: an event of an AWS service
}

// parse scans an event into e. Its door is -1 where it is no HTTP request and no direct
// invocation.
func (e *event) parse(raw []byte) error {
	e.text = string(raw)
	e.fields = fieldsPool.Get().(*fields) //nolint:forcetypeassert // the pool holds nothing else
	p := scanner{text: e.text}
	var m marks
	m.object = p.object(func(key string) { e.member(&p, key, &m) })
	if !p.end() {
		return errNotJSON
	}
	e.door = m.door(e)
	return nil
}

// member takes one member of the event.
func (e *event) member(p *scanner, key string, m *marks) {
	switch key {
	case "requestContext":
		m.requestContext = p.object(func(key string) { e.contextMember(p, key, m) })
	case "httpMethod":
		e.method, m.method = p.stringOrNull()
	case "path":
		e.path, _ = p.stringOrNull()
	case "rawPath":
		e.rawPath, _ = p.stringOrNull()
	case "rawQueryString":
		e.rawQuery, _ = p.stringOrNull()
	case "headers":
		e.headers = appendStrings(e.headers[:0], p)
	case "multiValueHeaders":
		e.multi = p.peek() == '{'
		e.multiHeaders = appendLists(e.multiHeaders[:0], p)
	case "queryStringParameters":
		e.query = appendStrings(e.query[:0], p)
	case "multiValueQueryStringParameters":
		e.multiQuery = appendLists(e.multiQuery[:0], p)
	case "cookies":
		p.array(func() {
			if s, ok := p.stringOrNull(); ok {
				e.cookies = append(e.cookies, s.String())
			}
		})
	case "body":
		e.body, _ = p.stringOrNull()
	case "isBase64Encoded":
		e.base64 = p.isTrue()
	case "version":
		v, _ := p.stringOrNull()
		m.version2 = v.raw == "2.0"
	case "Records", "source", "detail-type":
		m.service = true
		p.skip()
	default:
		p.skip()
	}
}

// contextMember takes one member of requestContext.
func (e *event) contextMember(p *scanner, key string, m *marks) {
	switch key {
	case "elb":
		m.elb = p.peek() == '{'
		p.skip()
	case "domainName":
		s, _ := p.stringOrNull()
		e.domain = s.String()
	case "identity":
		p.object(func(key string) { e.sourceMember(p, key) })
	case "http":
		m.http = p.object(func(key string) {
			if key == "method" {
				e.method, m.method = p.stringOrNull()
				return
			}
			e.sourceMember(p, key)
		})
	default:
		p.skip()
	}
}

func (e *event) sourceMember(p *scanner, key string) {
	if key != "sourceIp" {
		p.skip()
		return
	}
	s, _ := p.stringOrNull()
	e.sourceIP = s.String()
}

// appendStrings takes an object of strings; members of other kinds are left out.
func appendStrings(all []pair, p *scanner) []pair {
	if p.peek() != '{' {
		p.skip()
		return all
	}
	for more := p.open('}'); more; more = p.more('}') { // with no function to call, as [scanner.object] would: most of an event is here
		key := p.key()
		if s, ok := p.stringOrNull(); ok {
			all = append(all, pair{key.String(), s.String()})
		}
	}
	return all
}

// appendLists takes an object of lists of strings.
func appendLists(all []pair, p *scanner) []pair {
	p.object(func(key string) {
		p.array(func() {
			if s, ok := p.stringOrNull(); ok {
				all = append(all, pair{key, s.String()})
			}
		})
	})
	return all
}

// door tells by the event alone which door it came through, -1 for none. Function
// URLs and HTTP APIs share a format and differ in their domain (AWS Lambda, "Invoking
// Lambda function URLs").
func (m marks) door(e *event) Door {
	switch {
	case !m.object:
		return -1
	case m.elb && m.method:
		return DoorALB
	case m.http && m.version2 && isFunctionURL(e.domain):
		return DoorFunctionURL
	case m.http && m.version2:
		return DoorHTTPAPI
	case m.requestContext && m.method:
		return DoorREST
	case m.requestContext || m.service:
		return -1
	default:
		return DoorDirect
	}
}
