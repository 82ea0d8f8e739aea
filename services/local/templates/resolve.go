package templates

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Live gives what AWS alone knows of a stack that is there, nil where that is not to be
// known either. It is asked for what [Resolve] cannot work out by itself: function is the
// function's name in its long form, such as Ref or Fn::GetAtt, and argument its argument,
// worked out as far as can be. That of Fn::GetAtt is of the form Resource.Attribute.
type Live func(function string, argument *yaml.Node) *yaml.Node

// resolver works out the functions of one template.
type resolver struct {
	values     map[string]string
	live       Live
	parameters *yaml.Node
	mappings   *yaml.Node
	conditions *yaml.Node
	known      map[string]bool // conditions that were worked out
}

// none is a value that AWS::NoValue takes away.
var none = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"}

// Resolve gives a template with these values in the place of its parameters and of pseudo
// parameters, such as AWS::Region, without what conditions leave out. It works out what
// follows from them, mappings and conditions. References to resources, attributes and other
// stacks' exports are what live says of them; where that is nil, they stay as they are. See
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
func Resolve(template *yaml.Node, values map[string]string, live Live) *yaml.Node {
	if live == nil {
		live = func(string, *yaml.Node) *yaml.Node { return nil }
	}
	r := resolver{
		values: values, live: live, known: map[string]bool{},
		parameters: Member(template, "Parameters"), mappings: Member(template, "Mappings"), conditions: Member(template, "Conditions"),
	}
	out := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for name, n := range Members(template) {
		switch name {
		case "Parameters", "Mappings", "Conditions", "Rules", "Metadata":
			continue // all that they say is in the rest now
		case "Resources", "Outputs":
			n = r.conditional(n)
		}
		put(out, name, r.node(n))
	}
	return out
}

// conditional gives the members whose condition holds.
func (r *resolver) conditional(n *yaml.Node) *yaml.Node {
	out := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for name, m := range Members(n) {
		holds, known := true, true
		if c := Scalar(m, "Condition"); c != "" {
			holds, known = r.condition(c)
		}
		if holds || !known {
			put(out, name, m)
		}
	}
	return out
}

// Call gives the function that a node is, in either of its forms, such as Fn::Sub, and
// its argument; an empty name where it is none.
func Call(n *yaml.Node) (name string, argument *yaml.Node) {
	if tag, ok := strings.CutPrefix(n.Tag, "!"); ok && tag != "" && !strings.HasPrefix(tag, "!") {
		bare := *n
		bare.Style &^= yaml.TaggedStyle
		bare.Tag = map[yaml.Kind]string{yaml.ScalarNode: "!!str", yaml.SequenceNode: "!!seq", yaml.MappingNode: "!!map"}[n.Kind]
		if tag == "Ref" || tag == "Condition" {
			return tag, &bare
		}
		return "Fn::" + tag, &bare
	}
	if n.Kind == yaml.MappingNode && len(n.Content) == 2 {
		if k := n.Content[0].Value; k == "Ref" || strings.HasPrefix(k, "Fn::") {
			return k, n.Content[1]
		}
	}
	return "", nil
}

// node works out a node; what cannot be stays the function that it is.
func (r *resolver) node(n *yaml.Node) *yaml.Node {
	name, argument := Call(n)
	if name == "" {
		return r.children(n)
	}
	if name == "Fn::If" { // what is not taken is not looked at
		if out := r.choose(argument); out != nil {
			return out
		}
	}
	if name == "Ref" {
		if out := r.ref(argument.Value); out != nil {
			return out
		}
		return n
	}
	if name == "Fn::Sub" {
		return r.sub(n, argument)
	}
	argument = r.children(argument)
	if k, inner := Call(argument); k != "" {
		argument = r.node(&yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: []*yaml.Node{text("Fn::" + strings.TrimPrefix(k, "Fn::")), inner}})
	}
	if out := r.apply(name, argument); out != nil {
		return out
	}
	if out := r.live(name, argument); out != nil {
		return out
	}
	return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: []*yaml.Node{text(name), argument}}
}

// children works out what is in a list or a mapping.
func (r *resolver) children(n *yaml.Node) *yaml.Node {
	switch n.Kind {
	case yaml.MappingNode:
		out := &yaml.Node{Kind: n.Kind, Tag: n.Tag}
		for name, m := range Members(n) {
			put(out, name, r.node(m))
		}
		return out
	case yaml.SequenceNode:
		out := &yaml.Node{Kind: n.Kind, Tag: n.Tag}
		for _, m := range n.Content {
			if m = r.node(m); m != none {
				out.Content = append(out.Content, m)
			}
		}
		return out
	}
	bare := *n
	bare.HeadComment, bare.LineComment, bare.FootComment = "", "", ""
	return &bare
}

// ref gives the value of a parameter or of a resource, nil where it is not known.
func (r *resolver) ref(name string) *yaml.Node {
	if name == "AWS::NoValue" {
		return none
	}
	v, ok := r.values[name]
	if !ok {
		return r.live("Ref", text(name))
	}
	kind := Scalar(Member(r.parameters, name), "Type")
	if strings.HasPrefix(kind, "List<") || kind == "CommaDelimitedList" {
		return list(strings.Split(v, ","))
	}
	n := text(v)
	if _, err := strconv.Atoi(v); err == nil && kind == "Number" {
		n.Tag = "!!int"
	}
	return n
}

// attribute gives what a name in Fn::Sub stands for, nil where it is not known.
func (r *resolver) attribute(name string) *yaml.Node {
	if strings.Contains(name, ".") {
		return r.live("Fn::GetAtt", text(name))
	}
	return r.ref(name)
}

var variable = regexp.MustCompile(`\$\{([A-Za-z0-9:.]+)\}`)

// sub puts values in the place of ${Name}.
func (r *resolver) sub(n, argument *yaml.Node) *yaml.Node {
	format, own := argument, (*yaml.Node)(nil)
	if argument.Kind == yaml.SequenceNode && len(argument.Content) == 2 {
		format, own = argument.Content[0], r.children(argument.Content[1])
	}
	if format.Kind != yaml.ScalarNode {
		return n
	}
	s := variable.ReplaceAllStringFunc(format.Value, func(v string) string {
		name := v[2 : len(v)-1]
		if m := Member(own, name); m != nil {
			if m.Kind == yaml.ScalarNode && !strings.HasPrefix(m.Tag, "!R") {
				return m.Value
			}
			return v
		}
		if out := r.attribute(name); out != nil && out != none && out.Kind == yaml.ScalarNode {
			return out.Value
		}
		return v
	})
	if !variable.MatchString(s) {
		return text(s)
	}
	if own == nil {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!Sub", Value: s}
	}
	return &yaml.Node{Kind: yaml.SequenceNode, Tag: "!Sub", Content: []*yaml.Node{text(s), own}}
}

// apply works out the functions of values that are known; nil where they are not.
func (r *resolver) apply(name string, a *yaml.Node) *yaml.Node {
	if a.Kind != yaml.SequenceNode {
		return nil
	}
	args := a.Content
	switch {
	case name == "Fn::FindInMap" && len(args) == 3:
		return Member(r.mappings, plain(args)...)
	case name == "Fn::Select" && len(args) == 2 && plain(args[:1]) != nil && args[1].Kind == yaml.SequenceNode:
		if i, err := strconv.Atoi(args[0].Value); err == nil && i >= 0 && i < len(args[1].Content) {
			return args[1].Content[i]
		}
	case name == "Fn::Split" && len(args) == 2 && plain(args) != nil:
		return list(strings.Split(args[1].Value, args[0].Value))
	case name == "Fn::Join" && len(args) == 2 && args[1].Kind == yaml.SequenceNode && plain(args[1].Content) != nil:
		return text(strings.Join(plain(args[1].Content), args[0].Value))
	}
	return nil
}

// choose gives the branch that Fn::If takes, nil where that is not known.
func (r *resolver) choose(a *yaml.Node) *yaml.Node {
	if a.Kind != yaml.SequenceNode || len(a.Content) != 3 {
		return nil
	}
	holds, known := r.condition(a.Content[0].Value)
	switch {
	case !known:
		return nil
	case holds:
		return r.node(a.Content[1])
	}
	return r.node(a.Content[2])
}

// condition says whether a named condition holds.
func (r *resolver) condition(name string) (holds, known bool) {
	if holds, known := r.known[name]; known {
		return holds, true
	}
	n := Member(r.conditions, name)
	if n == nil {
		return false, false
	}
	holds, known = r.holds(n)
	if known {
		r.known[name] = holds
	}
	return holds, known
}

func (r *resolver) holds(n *yaml.Node) (holds, known bool) {
	name, a := Call(n)
	if name == "Condition" {
		return r.condition(a.Value)
	}
	if c := Scalar(n, "Condition"); c != "" && name == "" {
		return r.condition(c)
	}
	if a == nil || a.Kind != yaml.SequenceNode {
		return false, false
	}
	if name == "Fn::Equals" {
		both := plain(r.children(a).Content)
		return len(both) == 2 && both[0] == both[1], len(both) == 2
	}
	or := name == "Fn::Or"
	if !or && name != "Fn::And" && name != "Fn::Not" {
		return false, false
	}
	result := !or
	for _, c := range a.Content {
		holds, known := r.holds(c)
		if !known {
			return false, false
		}
		if holds == or {
			result = or
		}
	}
	return result != (name == "Fn::Not"), true
}

// plain gives the values of nodes that are all plain text, nil where one is not.
func plain(nodes []*yaml.Node) []string {
	values := []string{}
	for _, n := range nodes {
		if name, _ := Call(n); name != "" || n.Kind != yaml.ScalarNode {
			return nil
		}
		values = append(values, n.Value)
	}
	return slices.Clip(values)
}

func text(s string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
}

func list(values []string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	for _, v := range values {
		n.Content = append(n.Content, text(v))
	}
	return n
}

// put adds a member to a mapping, unless it is none.
func put(n *yaml.Node, name string, m *yaml.Node) {
	if m != none {
		n.Content = append(n.Content, text(name), m)
	}
}
