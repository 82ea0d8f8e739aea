package deploytest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// The account and region of the AWS in memory.
const (
	Account = "123456789012"
	Region  = "eu-west-1"
)

// AWS is as much of AWS as the verbs use, in memory: CloudFormation, ECS, Lambda, Systems
// Manager and what verify asks. It speaks their protocols. Nothing in it takes time: each
// time that somebody looks at a stack or a service, what goes on there goes on a step.
type AWS struct {
	URL string

	mu       sync.Mutex
	calls    []string
	faults   []*Fault
	hook     func(n int, action string)
	stacks   []*stack // deleted ones among them
	sets     []*changeSet
	services map[string]*service // by ARN
	tasks    map[string]string   // images by task definition's ARN
	versions map[string][]string // images by function's name
	aliases  map[string]int      // versions by function's name
	history  map[string][]string // values by parameter's name
	crashing map[string]bool     // images whose program ends at once
	hanging  map[string]bool     // images whose program never gets healthy
	buried   map[string]bool     // secrets that are to be deleted
	certs    map[string][]string // status and domains, by ARN
	denied   map[string]bool     // actions that the caller may not do
}

// Fault has calls fail.
type Fault struct {
	Action string // such as CreateChangeSet; any where it is empty
	After  int    // how many such calls go well before
	Times  int    // how many then fail; all where it is 0
	Status int    // HTTP status
	Code   string // AWS's code
	Say    string
	Lost   bool // it is done, and only the answer does not come
}

// Start starts an AWS for a test.
func Start(t testing.TB) *AWS {
	t.Helper()
	a := &AWS{
		services: map[string]*service{}, tasks: map[string]string{}, versions: map[string][]string{}, aliases: map[string]int{}, history: map[string][]string{},
		crashing: map[string]bool{}, hanging: map[string]bool{}, buried: map[string]bool{}, certs: map[string][]string{}, denied: map[string]bool{},
	}
	s := httptest.NewServer(a)
	t.Cleanup(s.Close)
	a.URL = s.URL
	return a
}

// Fail has calls fail from now on.
func (a *AWS) Fail(f Fault) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.faults = append(a.faults, &f)
}

// Mend ends all faults.
func (a *AWS) Mend() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.faults = nil
}

// OnCall has f called with the number and action of each call, from 1, after it was done
// and before it is answered.
func (a *AWS) OnCall(f func(n int, action string)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls, a.hook = nil, f
}

// Calls gives the actions that were called.
func (a *AWS) Calls() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.calls)
}

// Crash has the program of an image end as soon as it is started.
func (a *AWS) Crash(image string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.crashing[image] = true
}

// Hang has the program of an image run, and never become healthy. ECS itself does nothing
// about it, as where a service has no circuit breaker.
func (a *AWS) Hang(image string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.hanging[image] = true
}

// call is a request, whatever its protocol.
type call struct {
	action string
	form   url.Values     // query protocol
	body   map[string]any // JSON
	path   string         // REST
	query  url.Values
}

// failure is an error as AWS answers it.
type failure struct {
	status    int
	code, say string
}

func (f *failure) Error() string { return f.code + ": " + f.say }

var errLost = errors.New("the answer is lost")

func invalid(format string, args ...any) error {
	return &failure{http.StatusBadRequest, "ValidationError", fmt.Sprintf(format, args...)}
}

// ServeHTTP implements http.Handler.
func (a *AWS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, err := read(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer, n, hook, err := a.do(c)
	if hook != nil {
		hook(n, c.action)
	}
	if errors.Is(err, errLost) {
		panic(http.ErrAbortHandler) // which closes the connection
	}
	c.write(w, answer, err)
}

func (a *AWS) do(c call) (answer any, n int, hook func(int, string), err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls = append(a.calls, c.action)
	n, hook = len(a.calls), a.hook
	for _, f := range a.faults {
		if !f.hits(c.action) {
			continue
		}
		if f.Lost {
			if do, ok := a.actions()[c.action]; ok {
				_, _ = do(c) // nobody hears of it
			}
			return nil, n, hook, errLost
		}
		return nil, n, hook, &failure{f.Status, f.Code, f.Say}
	}
	do, ok := a.actions()[c.action]
	if !ok {
		return nil, n, hook, &failure{http.StatusBadRequest, "InvalidAction", c.action + " is not made up here"}
	}
	answer, err = do(c)
	return answer, n, hook, err
}

// hits says whether a fault befalls a call, and counts it.
func (f *Fault) hits(action string) bool {
	if f.Action != "" && f.Action != action {
		return false
	}
	if f.After > 0 {
		f.After--
		return false
	}
	if f.Times == 0 {
		return true
	}
	if f.Times < 0 {
		return false
	}
	if f.Times--; f.Times == 0 {
		f.Times = -1
	}
	return true
}

func (a *AWS) actions() map[string]func(call) (any, error) {
	return map[string]func(call) (any, error){
		"DescribeStacks": a.describeStacks, "DescribeStackEvents": a.describeEvents, "ListStackResources": a.listResources,
		"CreateChangeSet": a.createChangeSet, "DescribeChangeSet": a.describeChangeSet, "DeleteChangeSet": a.deleteChangeSet,
		"ExecuteChangeSet": a.executeChangeSet, "DeleteStack": a.deleteStack, "CancelUpdateStack": a.cancelUpdate,
		"UpdateTerminationProtection": a.protect,
		"DescribeServices":            a.describeServices, "DescribeTaskDefinition": a.describeTaskDefinition, "ListTasks": a.listTasks, "DescribeTasks": a.describeTasks,
		"GetAlias": a.getAlias, "GetFunction": a.getFunction,
		"GetParameterHistory": a.getParameterHistory, "PutParameter": a.putParameter, "DeleteParameter": a.deleteParameter,
		"GetCallerIdentity": a.getCallerIdentity, "GetAuthorizationToken": a.getAuthorizationToken, "DescribeCertificate": a.describeCertificate,
		"DescribeSecret": a.describeSecret, "SimulatePrincipalPolicy": a.simulate,
	}
}

// read reads a request of any of the protocols.
func read(r *http.Request) (c call, err error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return c, err
	}
	c.path, c.query = r.URL.Path, r.URL.Query()
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		c.action = target[strings.LastIndex(target, ".")+1:]
		return c, json.Unmarshal(body, &c.body)
	}
	if strings.HasPrefix(c.path, "/2015-03-31/functions/") {
		c.action = "GetFunction"
		if strings.Contains(c.path, "/aliases/") {
			c.action = "GetAlias"
		}
		return c, nil
	}
	c.form, err = url.ParseQuery(string(body))
	c.action = c.form.Get("Action")
	return c, err
}

// write writes an answer in the protocol of the request.
func (c call) write(w http.ResponseWriter, answer any, err error) {
	f, failed := err.(*failure) //nolint:errorlint // handlers give nothing else
	if c.form == nil {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		if failed {
			w.Header().Set("X-Amzn-Errortype", f.code)
			w.WriteHeader(f.status)
			answer = map[string]string{"__type": f.code, "message": f.say}
		}
		_ = json.NewEncoder(w).Encode(answer)
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	if failed {
		w.WriteHeader(f.status)
		fmt.Fprint(w, el("ErrorResponse", el("Error", el("Type", "Sender"), el("Code", f.code), el("Message", f.say)), el("RequestId", "0")))
		return
	}
	inner, _ := answer.(markup)
	fmt.Fprint(w, el(c.action+"Response", el(c.action+"Result", inner), el("ResponseMetadata", el("RequestId", "0"))))
}
