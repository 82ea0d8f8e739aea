package deploytest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"spillway.example/services/local/templates"
	"spillway.example/spillway/deploy"
)

// stack is a stack, and what AWS is at there.
type stack struct {
	id, name, status, reason string
	parameters               map[string]string
	body                     string
	resources                map[string]*resource
	events                   []event
	protected                bool
	steps                    []func() // still to be taken
	back                     *snapshot
}

type resource struct {
	logical, physical, kind, status, reason string
	is                                      string // its resolved properties
	keep                                    bool   // DeletionPolicy: Retain
}

type event struct {
	id, logical, physical, kind, status, reason string
	at                                          time.Time
}

// snapshot is what a stack goes back to.
type snapshot struct {
	parameters map[string]string
	body       string
	resources  map[string]*resource
}

func (s *stack) snapshot() *snapshot {
	resources := map[string]*resource{}
	for k, r := range s.resources {
		c := *r
		resources[k] = &c
	}
	return &snapshot{maps.Clone(s.parameters), s.body, resources}
}

func (s *stack) busy() bool {
	return strings.HasSuffix(s.status, "_IN_PROGRESS") && s.status != "REVIEW_IN_PROGRESS"
}

// step has what goes on there go on.
func (s *stack) step() {
	if len(s.steps) > 0 {
		next := s.steps[0]
		s.steps = s.steps[1:]
		next()
	}
}

// say adds an event of a resource, or of the stack itself where it is nil.
func (s *stack) say(r *resource, status, reason string) {
	e := event{
		id: fmt.Sprintf("%s-%d", s.name, len(s.events)), logical: s.name, physical: s.id, kind: "AWS::CloudFormation::Stack",
		status: status, reason: reason, at: time.Now(),
	}
	if r != nil {
		e.logical, e.physical, e.kind = r.logical, r.physical, r.kind
		r.status, r.reason = status, reason
	} else {
		s.status, s.reason = status, reason
	}
	s.events = append(s.events, e)
}

// resolved gives a template's resources, each as text, with values in it.
func resolved(body string, parameters map[string]string) (map[string]*resource, error) {
	t, err := deploy.ParseTemplate([]byte(body))
	if err != nil {
		return nil, invalid("Template format error: %v", err)
	}
	var values []deploy.Value
	for _, p := range t.Parameters() {
		v, ok := parameters[p.Name]
		if !ok && p.Default == nil {
			return nil, invalid("Parameters: [%s] must have values", p.Name)
		}
		if !ok {
			v = string(*p.Default)
		}
		parameters[p.Name] = v
		values = append(values, deploy.Value{Name: p.Name, Value: v})
	}
	all := map[string]*resource{}
	root := t.Resolve(values, Region)
	for id, n := range templates.Members(templates.Member(root, "Resources")) {
		text, err := yaml.Marshal(n)
		if err != nil {
			return nil, err
		}
		all[id] = &resource{logical: id, kind: templates.Scalar(n, "Type"), is: string(text), keep: templates.Scalar(n, "DeletionPolicy") == "Retain"}
	}
	return all, nil
}

// property gives a line of a resource's text, such as Image: …
func (r *resource) property(name string) string {
	for line := range strings.Lines(r.is) {
		if v, ok := strings.CutPrefix(strings.TrimLeft(strings.TrimSpace(line), "- "), name+": "); ok {
			return strings.Trim(v, `"'`)
		}
	}
	return ""
}

// revised are the types of which every change is a new one.
var revised = []string{"AWS::ECS::TaskDefinition", "AWS::Lambda::Version"}

// replacing are properties that cannot be changed in place.
var replacing = map[string]string{"AWS::DynamoDB::Table": "TableName"}

// change is a change of one resource.
type change struct {
	action, replacement, cause string
	old, now                   *resource
}

// compare gives what would become of a stack's resources.
func compare(old, now map[string]*resource) (changes []change) {
	names := slices.Sorted(maps.Keys(now))
	for _, id := range names {
		o, n := old[id], now[id]
		switch {
		case o == nil:
			changes = append(changes, change{action: "Add", now: n})
		case o.is == n.is:
		case slices.Contains(revised, n.kind), replacing[n.kind] != "" && o.property(replacing[n.kind]) != n.property(replacing[n.kind]):
			changes = append(changes, change{action: "Modify", replacement: "True", old: o, now: n})
		default:
			changes = append(changes, change{action: "Modify", replacement: "False", old: o, now: n})
		}
	}
	for _, id := range names { // what refers to what is replaced
		o, n := old[id], now[id]
		for _, c := range changes {
			if o != nil && o.is == n.is && c.replacement == "True" && n.names(c.now.logical) {
				changes = append(changes, change{action: "Modify", replacement: "False", cause: c.now.logical, old: o, now: n})
				break
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(old)) {
		if now[id] == nil {
			changes = append(changes, change{action: "Remove", old: old[id]})
		}
	}
	slices.SortStableFunc(changes, func(a, b change) int { return strings.Compare(a.id(), b.id()) })
	return changes
}

func (c change) id() string {
	if c.now != nil {
		return c.now.logical
	}
	return c.old.logical
}

func (c change) kind() string {
	if c.now != nil {
		return c.now.kind
	}
	return c.old.kind
}

// names says whether a resource refers to another.
func (r *resource) names(id string) bool {
	return strings.Contains(r.is, "!Ref "+id+"\n") || strings.Contains(r.is, "Fn::GetAtt: "+id+".")
}
