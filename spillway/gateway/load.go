package gateway

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Load reads a gateway's configuration, in YAML or JSON, and fills in the defaults.
// The error names every field that is wrong.
func Load(text []byte) (Config, error) {
	var c Config
	if err := yaml.Load(text, &c, yaml.WithKnownFields()); err != nil {
		return Config{}, fmt.Errorf("reading the configuration: %w", err)
	}
	c = c.withDefaults()
	if err := c.check(); err != nil {
		return Config{}, err
	}
	return c, nil
}

// checker gathers what is wrong, each with the field that it is about.
type checker struct{ wrong []error }

func (c *checker) expect(ok bool, field, format string, args ...any) {
	if !ok {
		c.wrong = append(c.wrong, fmt.Errorf("%s: %s", field, fmt.Sprintf(format, args...)))
	}
}

func (c Config) check() error {
	var k checker
	k.address("listener.address", c.Listener.Address)
	k.address("admin", c.Admin)
	k.expect(c.Admin != c.Listener.Address || strings.HasSuffix(c.Admin, ":0"), "admin", "must not be the listener's address")
	k.expect(c.Listener.IdleTimeout > 0, "listener.idle_timeout", "must be positive")
	priorities := map[int]bool{}
	for i, r := range c.Listener.Rules {
		field := fmt.Sprintf("listener.rules[%d]", i)
		k.expect(r.Priority >= 1 && r.Priority <= 50000, field+".priority", "must be from 1 to 50000")
		k.expect(!priorities[r.Priority], field+".priority", "%d is another rule's", r.Priority)
		priorities[r.Priority] = true
		k.conditions(field+".conditions", r.Conditions)
		k.action(field, r.Action, c.TargetGroups)
	}
	k.action("listener.default", c.Listener.Default, c.TargetGroups)
	for _, name := range slices.Sorted(maps.Keys(c.TargetGroups)) {
		k.group("target_groups."+name, c.TargetGroups[name])
	}
	return errors.Join(k.wrong...)
}

func (c *checker) address(field, address string) {
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	c.expect(err == nil, field, "%q must be host:port", address)
}

func (c *checker) conditions(field string, all []Condition) {
	c.expect(len(all) > 0, field, "at least one is needed")
	for i, condition := range all {
		field := fmt.Sprintf("%s[%d]", field, i)
		values, where := condition.PathPattern, field+".path_pattern"
		if h := condition.HTTPHeader; h != nil {
			c.expect(len(values) == 0, field, "has path_pattern and http_header; make two conditions of it")
			c.expect(h.Name != "", field+".http_header.name", "is required")
			values, where = h.Values, field+".http_header.values"
		}
		c.expect(len(values) > 0, where, "at least one value is needed")
		for j, v := range values {
			c.expect(v != "" && len(v) <= 128, fmt.Sprintf("%s[%d]", where, j), "must have 1 to 128 characters")
		}
	}
}

func (c *checker) action(field string, a Action, groups map[string]TargetGroup) {
	c.expect((len(a.Forward) > 0) != (a.FixedResponse != nil), field, "needs forward or fixed_response")
	if f := a.FixedResponse; f != nil {
		c.expect(f.StatusCode >= 200 && f.StatusCode <= 599, field+".fixed_response.status_code", "must be from 200 to 599")
	}
	for i, w := range a.Forward {
		field := fmt.Sprintf("%s.forward[%d]", field, i)
		_, known := groups[w.TargetGroup]
		c.expect(known, field+".target_group", "there is no target group %q", w.TargetGroup)
		c.expect(w.Weight == nil || *w.Weight >= 0 && *w.Weight <= 999, field+".weight", "must be from 0 to 999")
	}
}

func (c *checker) group(field string, g TargetGroup) {
	switch g.Type {
	case TypeHTTP:
		c.expect(!g.MultiValueHeaders, field+".multi_value_headers", "is for Lambda target groups")
		c.expect(g.MaxInFlight == 0, field+".max_in_flight", "is for Lambda target groups")
		c.expect(g.MaxQueue == 0, field+".max_queue", "is for Lambda target groups")
	case TypeLambda:
		c.expect(g.MaxInFlight > 0, field+".max_in_flight", "must be positive")
		c.expect(g.MaxQueue > 0, field+".max_queue", "must be positive")
	default:
		c.expect(false, field+".type", "must be %s or %s", TypeHTTP, TypeLambda)
	}
	seen := map[string]bool{}
	for i, t := range g.Targets {
		field := fmt.Sprintf("%s.targets[%d]", field, i)
		if err := checkTarget(g.Type, t); err != nil {
			c.expect(false, field, "%v", err)
		}
		c.expect(!seen[t], field, "%q is there twice", t)
		seen[t] = true
	}
	h := g.HealthCheck
	field, delay := field+".health_check", field+".deregistration_delay"
	_, err := url.ParseRequestURI(h.Path)
	c.expect(err == nil && strings.HasPrefix(h.Path, "/"), field+".path", "%q must be a path", h.Path)
	c.expect(h.Interval > 0, field+".interval", "must be positive")
	c.expect(h.Timeout > 0, field+".timeout", "must be positive")
	c.expect(h.HealthyThreshold > 0, field+".healthy_threshold", "must be positive")
	c.expect(h.UnhealthyThreshold > 0, field+".unhealthy_threshold", "must be positive")
	c.expect(g.DeregistrationDelay > 0, delay, "must be positive")
}

// checkTarget says what is wrong with a target of a group of that type.
func checkTarget(groupType, target string) error {
	if groupType == TypeLambda {
		u, err := url.Parse(target)
		if err != nil || u.Scheme != "http" || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
			return fmt.Errorf("%q must be an emulator's URL, such as http://127.0.0.1:9001", target)
		}
		return nil
	}
	host, port, err := net.SplitHostPort(target)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil || host == "" {
		return fmt.Errorf("%q must be host:port", target)
	}
	return nil
}
