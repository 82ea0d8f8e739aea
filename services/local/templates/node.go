package templates

import (
	"iter"

	"go.yaml.in/yaml/v4"
)

// Members goes over the members of a mapping; nil and what is no mapping have none.
func Members(n *yaml.Node) iter.Seq2[string, *yaml.Node] {
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

// Member gives a member of a mapping, nil where there is none.
func Member(n *yaml.Node, path ...string) *yaml.Node {
	for _, name := range path {
		var next *yaml.Node
		for k, v := range Members(n) {
			if k == name {
				next = v
			}
		}
		n = next
	}
	return n
}

// Scalar gives a member that is text, empty where there is none.
func Scalar(n *yaml.Node, name string) string {
	if m := Member(n, name); m != nil && m.Kind == yaml.ScalarNode {
		return m.Value
	}
	return ""
}
