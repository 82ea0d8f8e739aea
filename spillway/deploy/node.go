package deploy

import (
	"iter"

	"go.yaml.in/yaml/v4"
)

// members goes over the members of a mapping; nil and what is no mapping have none.
func members(n *yaml.Node) iter.Seq2[string, *yaml.Node] {
	return func(yield func(string, *yaml.Node) bool) {
		if n == nil || n.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i].Value, n.Content[i+1]) {
				return
			}
		}
	}
}

// member gives a member of a mapping, nil where there is none.
func member(n *yaml.Node, path ...string) *yaml.Node {
	for _, name := range path {
		var next *yaml.Node
		for k, v := range members(n) {
			if k == name {
				next = v
			}
		}
		n = next
	}
	return n
}

// scalar gives a member that is text, empty where there is none.
func scalar(n *yaml.Node, name string) string {
	if m := member(n, name); m != nil && m.Kind == yaml.ScalarNode {
		return m.Value
	}
	return ""
}

// uncommented gives a copy without comments. Aliases, which CloudFormation does not take,
// stay as they are.
func uncommented(n *yaml.Node) *yaml.Node {
	c := *n
	c.HeadComment, c.LineComment, c.FootComment = "", "", ""
	c.Content = nil
	for _, child := range n.Content {
		c.Content = append(c.Content, uncommented(child))
	}
	return &c
}
