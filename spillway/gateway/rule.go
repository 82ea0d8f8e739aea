package gateway

import (
	"net/http"
	"slices"
	"strings"
	"sync"
)

// rule is a rule at work: its conditions, and its action with the groups themselves.
type rule struct {
	conditions []Condition
	fixed      *FixedResponse
	forward    *wheel
}

// newRules gives the listener's rules in the order in which they are tried, the
// default last.
func newRules(l Listener, groups map[string]*group) []*rule {
	sorted := slices.Clone(l.Rules)
	slices.SortFunc(sorted, func(a, b Rule) int { return a.Priority - b.Priority })
	all := make([]*rule, 0, len(sorted)+1)
	for _, r := range append(sorted, Rule{Action: l.Default}) {
		all = append(all, &rule{r.Conditions, r.FixedResponse, newWheel(r.Forward, groups)})
	}
	return all
}

func (r *rule) meets(req *http.Request, path string) bool {
	return !slices.ContainsFunc(r.conditions, func(c Condition) bool { return !c.meets(req, path) })
}

func (c Condition) meets(r *http.Request, path string) bool {
	if h := c.HTTPHeader; h != nil {
		return slices.ContainsFunc(h.Values, func(pattern string) bool {
			return slices.ContainsFunc(r.Header.Values(h.Name), func(value string) bool {
				return match(strings.ToLower(pattern), strings.ToLower(value))
			})
		})
	}
	return slices.ContainsFunc(c.PathPattern, func(pattern string) bool { return match(pattern, path) })
}

// wheel hands out groups by their weights: smooth weighted round-robin, so that any
// stretch of requests, and not only their sum, has each group's share.
type wheel struct {
	groups  []*group
	weights []int

	mu     sync.Mutex
	credit []int
}

func newWheel(forward []WeightedGroup, groups map[string]*group) *wheel {
	w := &wheel{credit: make([]int, len(forward))}
	for _, f := range forward {
		weight := 1
		if f.Weight != nil {
			weight = *f.Weight
		}
		w.groups, w.weights = append(w.groups, groups[f.TargetGroup]), append(w.weights, weight)
	}
	return w
}

// next gives the group whose turn it is among those that have weight and are usable,
// nil where none is.
func (w *wheel) next(usable func(*group) bool) *group {
	w.mu.Lock()
	defer w.mu.Unlock()
	best, total := -1, 0
	for i, g := range w.groups {
		if w.weights[i] == 0 || !usable(g) {
			continue
		}
		w.credit[i] += w.weights[i]
		total += w.weights[i]
		if best < 0 || w.credit[i] > w.credit[best] {
			best = i
		}
	}
	if best < 0 {
		return nil
	}
	w.credit[best] -= total
	return w.groups[best]
}

// usable says whether any group with weight has a healthy target.
func (w *wheel) usable() bool {
	for i, g := range w.groups {
		if w.weights[i] > 0 && g.usable(nil) {
			return true
		}
	}
	return false
}

// names gives the groups' names, for people.
func (w *wheel) names() string {
	names := make([]string, len(w.groups))
	for i, g := range w.groups {
		names[i] = g.name
	}
	return strings.Join(names, ", ")
}
