// Package deploytest has what the tests of deploy need: an AWS in memory that fails as it
// is told to, and the templates as the emulators can take them.
package deploytest

import (
	"bytes"
	_ "embed" // the list of cuts
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"spillway.example/services/local/templates"
)

//go:embed cuts.yaml
var cutsFile []byte

// Emulator is what an emulator cannot do.
type Emulator struct {
	Cuts    []Cut     `yaml:"cuts"`
	Ignores []Ignored `yaml:"ignores"`
}

// Cut is something that is taken out of the templates for an emulator.
type Cut struct {
	Type     string `yaml:"type"`
	With     string `yaml:"with"`     // only of resources that have this property
	Property string `yaml:"property"` // a path with dots; empty for the whole resource
	Why      string `yaml:"why"`
}

// Ignored is something that an emulator takes and does nothing with, so that nothing is
// verified by it.
type Ignored struct {
	Type     string `yaml:"type"`
	Property string `yaml:"property"`
	Why      string `yaml:"why"`
}

// String names the cut.
func (c Cut) String() string {
	s := c.Type
	if c.With != "" {
		s += " with " + c.With
	}
	if c.Property != "" {
		s += ": " + c.Property
	}
	return s
}

// Emulators gives what each emulator cannot do.
func Emulators() (map[string]Emulator, error) {
	all := map[string]Emulator{}
	err := yaml.Load(cutsFile, &all, yaml.WithKnownFields())
	return all, err
}

// CutFolder copies a folder of templates with the cuts made, and says how often each was.
func CutFolder(from, to string, cuts []Cut) (made map[string]int, err error) {
	made = map[string]int{}
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(to, "*.yaml"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var root yaml.Node
		if err := yaml.Load(text, &root); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		resources := templates.Member(document(&root), "Resources")
		if resources == nil {
			continue
		}
		for _, c := range cuts {
			made[c.String()] += c.make(document(&root), resources)
		}
		if len(resources.Content) == 0 { // a template must have one
			resources.Content = append(resources.Content, nothing()...)
		}
		var out bytes.Buffer
		w := yaml.NewEncoder(&out)
		w.SetIndent(2)
		if err := w.Encode(document(&root)); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if err := os.WriteFile(file, out.Bytes(), 0o600); err != nil {
			return nil, err
		}
	}
	return made, nil
}

// Edit is an edit of one template of a folder.
type Edit struct{ File, Old, New string }

// Make makes the edit, which must change something.
func (e Edit) Make(dir string) error {
	file := filepath.Join(dir, e.File)
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	edited := strings.ReplaceAll(string(text), e.Old, e.New)
	if edited == string(text) {
		return fmt.Errorf("%s has no %q", e.File, e.Old)
	}
	return os.WriteFile(file, []byte(edited), 0o600)
}

// nothing is a resource that stands for none: CloudFormation's own handle to wait on.
func nothing() []*yaml.Node {
	var n yaml.Node
	if err := yaml.Load([]byte("Nothing: {Type: AWS::CloudFormation::WaitConditionHandle}"), &n); err != nil {
		panic(err) // it is a constant
	}
	return document(&n).Content
}

func document(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.DocumentNode && len(n.Content) == 1 {
		return n.Content[0]
	}
	return n
}

// make makes a cut in a template, and says how often.
func (c Cut) make(template, resources *yaml.Node) (times int) {
	for i := 0; i+1 < len(resources.Content); {
		id, resource := resources.Content[i].Value, resources.Content[i+1]
		properties := templates.Member(resource, "Properties")
		if t := templates.Member(resource, "Type"); t == nil || t.Value != c.Type || c.With != "" && templates.Member(properties, c.With) == nil {
			i += 2
			continue
		}
		if c.Property != "" {
			times += remove(properties, strings.Split(c.Property, "."))
			i += 2
			continue
		}
		resources.Content = slices.Delete(resources.Content, i, i+2)
		times++
		forget(template, resources, id)
	}
	return times
}

// forget takes what refers to a resource out of every list, DependsOn and output.
func forget(template, resources *yaml.Node, id string) {
	for i := 1; i < len(resources.Content); i += 2 {
		if d := templates.Member(resources.Content[i], "DependsOn"); d != nil && d.Kind == yaml.ScalarNode && d.Value == id {
			remove(resources.Content[i], []string{"DependsOn"})
		}
	}
	outputs := templates.Member(template, "Outputs")
	if outputs != nil {
		for i := 0; i+1 < len(outputs.Content); {
			if value := templates.Member(outputs.Content[i+1], "Value"); value != nil && value.Kind == yaml.ScalarNode && refers(value, id) {
				outputs.Content = slices.Delete(outputs.Content, i, i+2)
				continue
			}
			i += 2
		}
	}
	forgetIn(template, id)
}

func forgetIn(n *yaml.Node, id string) {
	if n.Kind == yaml.SequenceNode && !strings.HasPrefix(n.Tag, "!G") { // not !GetAtt
		n.Content = slices.DeleteFunc(n.Content, func(c *yaml.Node) bool { return refers(c, id) })
	}
	for _, c := range n.Content {
		forgetIn(c, id)
	}
}

// refers says whether a node is a resource's name, or a reference to it.
func refers(n *yaml.Node, id string) bool {
	return n.Kind == yaml.ScalarNode && (n.Value == id || strings.HasPrefix(n.Value, id+"."))
}

// remove removes a member by its path, also from each element of lists on the way, and
// says how often.
func remove(n *yaml.Node, path []string) (times int) {
	switch {
	case n == nil:
		return 0
	case n.Kind == yaml.SequenceNode:
		for _, e := range n.Content {
			times += remove(e, path)
		}
		return times
	case len(path) > 1:
		return remove(templates.Member(n, path[0]), path[1:])
	case n.Kind == yaml.MappingNode:
		i := slices.IndexFunc(n.Content, func(c *yaml.Node) bool { return c.Value == path[0] })
		if i >= 0 && i%2 == 0 {
			n.Content = slices.Delete(n.Content, i, i+2)
			return 1
		}
	}
	return 0
}
