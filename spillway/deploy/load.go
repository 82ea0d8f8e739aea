package deploy

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Stack is what a stack of an environment should be.
type Stack struct {
	Name         string // as the list of stacks has it, such as register
	FullName     string // as AWS has it, such as spillway-staging-register
	Template     Template
	Service      string // the service it runs; empty where it is of none
	Capabilities []string
	// Protected is a stack that holds what cannot be made again, such as accounts: it is
	// never deleted, and nothing in it is replaced or removed unless asked to.
	Protected bool

	values map[string]value // what the environment says of its parameters
}

// Environment is the stacks of one deployment, in the order in which they are applied.
type Environment struct {
	Name   string
	Stacks []Stack
}

// With gives the environment with another value for one parameter.
func (e Environment) With(stack, parameter, to string) Environment {
	e.Stacks = slices.Clone(e.Stacks)
	for i, s := range e.Stacks {
		if s.Name == stack {
			values := maps.Clone(s.values)
			if values == nil {
				values = map[string]value{}
			}
			values[parameter] = value(to)
			e.Stacks[i].values = values
		}
	}
	return e
}

// row is a stack in stacks.yaml.
type row struct {
	Name         string   `yaml:"name"`
	Template     string   `yaml:"template"`
	Service      string   `yaml:"service"`
	Capabilities []string `yaml:"capabilities"`
	Protected    bool     `yaml:"protected"`
}

// value is a parameter's value: text, or a list, which CloudFormation takes with commas.
type value string

// UnmarshalYAML implements yaml.Unmarshaler.
func (v *value) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*v = value(n.Value)
		return nil
	}
	var list []string
	if err := n.Decode(&list); err != nil {
		return err
	}
	*v = value(strings.Join(list, ","))
	return nil
}

// names is what AWS takes as a stack's name, and Spillway as an environment's.
var names = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

// maxStackName is CloudFormation's limit for a stack's name.
const maxStackName = 128

// Load reads stacks.yaml, environments/NAME.yaml and the templates in a folder. The error
// names every file and field that is wrong.
func Load(dir, name string) (Environment, error) {
	if !names.MatchString(name) {
		return Environment{}, fmt.Errorf("%q is no environment's name: it must be small letters, digits and hyphens, a letter first", name)
	}
	var list struct {
		Stacks []row `yaml:"stacks"`
	}
	if err := read(filepath.Join(dir, "stacks.yaml"), &list); err != nil {
		return Environment{}, err
	}
	file := filepath.Join(dir, "environments", name+".yaml")
	values := map[string]map[string]value{}
	if err := read(file, &values); errors.Is(err, os.ErrNotExist) {
		return Environment{}, fmt.Errorf("there is no environment %s: %s is not there", name, file)
	} else if err != nil {
		return Environment{}, err
	}
	env := Environment{Name: name}
	var wrong []error
	for i, r := range list.Stacks {
		s, err := r.stack(dir, name)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("stacks.yaml: stacks[%d]: %w", i, err))
			continue
		}
		s.values = values[r.Name]
		delete(values, r.Name)
		for _, p := range slices.Sorted(maps.Keys(s.values)) {
			if _, ok := s.Template.Parameter(p); !ok {
				wrong = append(wrong, fmt.Errorf("%s: %s.%s: %s has no such parameter", file, r.Name, p, r.Template))
			}
		}
		if slices.ContainsFunc(env.Stacks, func(other Stack) bool { return other.Name == s.Name }) {
			wrong = append(wrong, fmt.Errorf("stacks.yaml: stacks[%d]: the name %s is another's", i, s.Name))
		}
		env.Stacks = append(env.Stacks, s)
	}
	for _, s := range slices.Sorted(maps.Keys(values)) {
		wrong = append(wrong, fmt.Errorf("%s: %s: stacks.yaml has no such stack", file, s))
	}
	if len(list.Stacks) == 0 {
		wrong = append(wrong, errors.New("stacks.yaml: stacks: has none"))
	}
	return env, errors.Join(wrong...)
}

func (r row) stack(dir, environment string) (Stack, error) {
	s := Stack{
		Name: r.Name, FullName: "spillway-" + environment + "-" + r.Name,
		Service: r.Service, Capabilities: r.Capabilities, Protected: r.Protected,
	}
	if !names.MatchString(r.Name) || len(s.FullName) > maxStackName {
		return s, fmt.Errorf("name: %q must be small letters, digits and hyphens, and the whole of %s within %d", r.Name, s.FullName, maxStackName)
	}
	text, err := os.ReadFile(filepath.Join(dir, r.Template))
	if err != nil {
		return s, fmt.Errorf("template: %w", err)
	}
	if s.Template, err = ParseTemplate(text); err != nil {
		return s, fmt.Errorf("%s: %w", r.Template, err)
	}
	s.Template.File = r.Template
	return s, nil
}

// read reads a YAML file whose every field must be known.
func read(file string, into any) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := yaml.Load(text, into, yaml.WithKnownFields()); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}
