package affected

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v4"
)

// The folder of the templates, the template that every service's stack has, and the folder
// of an environment's values, which are by stack.
const (
	templates       = "deploy"
	serviceTemplate = templates + "/service.yaml"
	environments    = templates + "/environments"
)

// addStacks adds what the stacks are made of, in the commit at tree.
func (s snapshot) addStacks(tree string) error {
	files, err := filepath.Glob(filepath.Join(tree, templates, "*.yaml"))
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := s.others.add(tree, file); err != nil {
			return err
		}
	}
	if hash, ok := s.others[serviceTemplate]; ok {
		delete(s.others, serviceTemplate)
		for service := range s.stacks {
			s.stacks[service][serviceTemplate] = hash
		}
	}
	values, err := filepath.Glob(filepath.Join(tree, environments, "*.yaml"))
	if err != nil {
		return err
	}
	for _, file := range values {
		if err := s.addValues(file); err != nil {
			return fmt.Errorf("%s/%s: %w", environments, filepath.Base(file), err)
		}
	}
	return nil
}

// addValues adds an environment's values, each to the stack that it is for.
func (s snapshot) addValues(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var stacks map[string]any
	if err := yaml.Unmarshal(text, &stacks); err != nil {
		return err
	}
	for stack, values := range stacks {
		value, err := json.Marshal(values) // keys in order
		if err != nil {
			return err
		}
		name := fmt.Sprintf("%s/%s: %s", environments, filepath.Base(file), stack)
		if of, ok := s.stacks[stack]; ok {
			of[name] = string(value)
		} else {
			s.others[name] = string(value)
		}
	}
	return nil
}
