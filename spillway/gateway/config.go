package gateway

import "time"

// Config is a gateway: what it listens on and where it sends what it gets. Its fields
// are those of Elastic Load Balancing's listeners, rules and target groups.
type Config struct {
	Listener Listener `yaml:"listener"`
	// Admin is the host and port where targets are listed, registered and
	// deregistered; 127.0.0.1:8089 where it is empty. Whoever reaches it may take
	// targets away, so it belongs on a loopback address.
	Admin        string                 `yaml:"admin"`
	TargetGroups map[string]TargetGroup `yaml:"target_groups"`
}

// Listener takes requests and sends each by the first rule that it meets.
type Listener struct {
	// Address is the host and port to listen on.
	Address string `yaml:"address"`
	// IdleTimeout is how long a target may take to begin its answer, and a client's
	// connection may lie idle; 60 s where it is zero (attribute
	// idle_timeout.timeout_seconds).
	IdleTimeout time.Duration `yaml:"idle_timeout"`
	Rules       []Rule        `yaml:"rules"`
	// Default is for what meets no rule; a 404 where it is empty.
	Default Action `yaml:"default"`
}

// Rule is an action for the requests that meet all of its conditions. The rule with
// the lowest priority, from 1 to 50000, is tried first.
type Rule struct {
	Priority   int         `yaml:"priority"`
	Conditions []Condition `yaml:"conditions"`
	Action     `yaml:",inline"`
}

// Condition is met when one of its values matches; in them * stands for any number of
// characters and ? for one. It has one of its fields.
type Condition struct {
	// PathPattern is compared with the path as the client sent it, in its case.
	PathPattern []string `yaml:"path_pattern"`
	// HTTPHeader is compared with each value of a header, in any case.
	HTTPHeader *HeaderCondition `yaml:"http_header"`
}

// HeaderCondition names a header and the values that meet a condition.
type HeaderCondition struct {
	Name   string   `yaml:"name"`
	Values []string `yaml:"values"`
}

// Action is what happens to a request: it is forwarded or it is answered.
type Action struct {
	Forward       []WeightedGroup `yaml:"forward"`
	FixedResponse *FixedResponse  `yaml:"fixed_response"`
}

// WeightedGroup is a target group and its share of an action's requests: its weight
// over the sum of all weights. A group of weight 0 gets none.
type WeightedGroup struct {
	TargetGroup string `yaml:"target_group"`
	Weight      *int   `yaml:"weight"` // 0 to 999; 1 where it is not set
}

// FixedResponse is an answer that needs no target.
type FixedResponse struct {
	StatusCode  int    `yaml:"status_code"`
	ContentType string `yaml:"content_type"` // text/plain where it is empty
	MessageBody string `yaml:"message_body"`
}

// The types of target groups.
const (
	TypeHTTP   = "http"   // targets are servers, host:port
	TypeLambda = "lambda" // targets are emulators, the URL before /2015-03-31/
)

// TargetGroup is a set of targets that are alike.
type TargetGroup struct {
	Type        string      `yaml:"type"`
	Targets     []string    `yaml:"targets"`
	HealthCheck HealthCheck `yaml:"health_check"`
	// DeregistrationDelay is how long a target that is deregistered may take for
	// what it has in flight; 300 s where it is zero (attribute
	// deregistration_delay.timeout_seconds).
	DeregistrationDelay time.Duration `yaml:"deregistration_delay"`

	// MultiValueHeaders gives events and takes answers in the form with lists
	// (attribute lambda.multi_value_headers.enabled). Lambda only.
	MultiValueHeaders bool `yaml:"multi_value_headers"`
	// MaxInFlight is how many invocations an emulator gets at once, health checks
	// among them; 1 where it is zero, which every emulator can take. Lambda only.
	MaxInFlight int `yaml:"max_in_flight"`
	// MaxQueue is how many requests may wait for an emulator; 1000 where it is zero.
	// Beyond that they are answered 503. Lambda only.
	MaxQueue int `yaml:"max_queue"`
}

// HealthCheck is how targets are found healthy: a GET that is answered 200, or an
// event that says the same. The defaults are quicker than Elastic Load Balancing's,
// for one developer's machine.
type HealthCheck struct {
	Path     string        `yaml:"path"`     // / where it is empty
	Interval time.Duration `yaml:"interval"` // 5 s where it is zero
	Timeout  time.Duration `yaml:"timeout"`  // 2 s where it is zero
	// HealthyThreshold is how many checks in a row an unhealthy target must pass; 2
	// where it is zero. A new target needs one.
	HealthyThreshold int `yaml:"healthy_threshold"`
	// UnhealthyThreshold is how many checks in a row a healthy target must fail; 2
	// where it is zero.
	UnhealthyThreshold int `yaml:"unhealthy_threshold"`
}

// withDefaults fills in what is not set.
func (c Config) withDefaults() Config {
	orElse(&c.Admin, DefaultAdmin)
	orElse(&c.Listener.IdleTimeout, 60*time.Second)
	if len(c.Listener.Default.Forward) == 0 && c.Listener.Default.FixedResponse == nil {
		c.Listener.Default.FixedResponse = &FixedResponse{StatusCode: 404, MessageBody: "no rule for this path\n"}
	}
	groups := make(map[string]TargetGroup, len(c.TargetGroups))
	for name, g := range c.TargetGroups {
		orElse(&g.DeregistrationDelay, 300*time.Second)
		orElse(&g.HealthCheck.Path, "/")
		orElse(&g.HealthCheck.Interval, 5*time.Second)
		orElse(&g.HealthCheck.Timeout, 2*time.Second)
		orElse(&g.HealthCheck.HealthyThreshold, 2)
		orElse(&g.HealthCheck.UnhealthyThreshold, 2)
		if g.Type == TypeLambda {
			orElse(&g.MaxInFlight, 1)
			orElse(&g.MaxQueue, 1000)
		}
		groups[name] = g
	}
	c.TargetGroups = groups
	return c
}

// DefaultAdmin is where the admin listener is unless it is told otherwise.
const DefaultAdmin = "127.0.0.1:8089"

func orElse[T comparable](p *T, otherwise T) {
	var zero T
	if *p == zero {
		*p = otherwise
	}
}
