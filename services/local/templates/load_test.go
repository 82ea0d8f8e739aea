package templates_test

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// root is the folder of the templates.
const root = "../../../deploy"

// deployment is the folder deploy/, read.
type deployment struct {
	files        map[string]string // by their path in it
	stacks       []stack
	templates    map[string]template
	environments map[string]map[string]map[string]any // by name, stack and parameter
}

// stack is a row of stacks.yaml.
type stack struct {
	Name, Template, Service string
	Capabilities            []string
	Protected               bool
}

// template is a template with its functions in their long forms, every scalar a string, as
// CloudFormation takes them.
type template struct {
	file       string
	text       string
	root       *yaml.Node // with its functions as they are written
	parameters map[string]any
	mappings   map[string]any
	conditions map[string]any
	resources  map[string]any
	outputs    map[string]any
}

// readFolder reads deploy/ as it is.
func readFolder(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(root, path)
		files[filepath.ToSlash(name)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// parse reads the files of deploy/.
func parse(files map[string]string) (*deployment, error) {
	d := &deployment{files: files, templates: map[string]template{}, environments: map[string]map[string]map[string]any{}}
	var list struct{ Stacks []stack }
	if err := yaml.Unmarshal([]byte(files["stacks.yaml"]), &list); err != nil {
		return nil, fmt.Errorf("stacks.yaml: %w", err)
	}
	d.stacks = list.Stacks
	for _, s := range d.stacks {
		t, err := parseTemplate(s.Template, files[s.Template])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.Template, err)
		}
		d.templates[s.Template] = t
	}
	for file, text := range files {
		name, ok := strings.CutPrefix(file, "environments/")
		if !ok {
			continue
		}
		var values map[string]map[string]any
		if err := yaml.Unmarshal([]byte(text), &values); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		d.environments[strings.TrimSuffix(name, ".yaml")] = values
	}
	return d, nil
}

func parseTemplate(file, text string) (template, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		return template{}, err
	}
	if len(doc.Content) != 1 {
		return template{}, fmt.Errorf("it is empty, or not there")
	}
	body, ok := plain(doc.Content[0]).(map[string]any)
	if !ok {
		return template{}, fmt.Errorf("it is no mapping")
	}
	return template{
		file: file, text: text, root: doc.Content[0], parameters: section(body, "Parameters"), mappings: section(body, "Mappings"),
		conditions: section(body, "Conditions"), resources: section(body, "Resources"), outputs: section(body, "Outputs"),
	}, nil
}

// plain gives a node as maps, lists and strings, with !Name as {"Fn::Name": …}.
func plain(n *yaml.Node) any {
	var v any
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = plain(n.Content[i+1])
		}
		v = m
	case yaml.SequenceNode:
		l := []any{}
		for _, c := range n.Content {
			l = append(l, plain(c))
		}
		v = l
	default:
		v = n.Value
	}
	tag := strings.TrimPrefix(n.Tag, "!")
	if !strings.HasPrefix(n.Tag, "!") || strings.HasPrefix(n.Tag, "!!") {
		return v
	}
	if tag == "Ref" || tag == "Condition" {
		return map[string]any{tag: v}
	}
	return map[string]any{"Fn::" + tag: v}
}

// sorted gives the keys of a map in order.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
