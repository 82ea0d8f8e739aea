package deploy

import (
	"errors"
	"fmt"
	"slices"

	"go.yaml.in/yaml/v4"

	"spillway.example/services/local/templates"
)

// Template is a CloudFormation template, read.
type Template struct {
	File string // as stacks.yaml names it

	text       []byte
	root       *yaml.Node
	parameters []Parameter
	resources  []declared
}

// declared is a resource that a template declares.
type declared struct {
	LogicalID      string
	Type           string // such as AWS::ECS::Service
	Condition      string // the condition it is made under; empty where always
	DeletionPolicy string // empty where it has none
}

// Parameter is a parameter that a template declares. See
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
type Parameter struct {
	Name           string   `yaml:"-"`
	Type           string   `yaml:"Type"`
	Default        *value   `yaml:"Default"`
	NoEcho         bool     `yaml:"NoEcho"`
	AllowedValues  []string `yaml:"AllowedValues"`
	AllowedPattern string   `yaml:"AllowedPattern"`
	MinLength      *int     `yaml:"MinLength"`
	MaxLength      *int     `yaml:"MaxLength"`
	MinValue       *float64 `yaml:"MinValue"`
	MaxValue       *float64 `yaml:"MaxValue"`
}

// maxBody is how many bytes of template CloudFormation takes in a request. See
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
const maxBody = 51200

// ParseTemplate reads a template in YAML or JSON, with the short forms of functions.
func ParseTemplate(text []byte) (Template, error) {
	t := Template{text: text, root: &yaml.Node{}}
	if err := yaml.Load(text, t.root); err != nil {
		return Template{}, err
	}
	if t.root.Kind == yaml.DocumentNode && len(t.root.Content) == 1 {
		t.root = t.root.Content[0]
	}
	for name, n := range templates.Members(templates.Member(t.root, "Parameters")) {
		p := Parameter{Name: name}
		if err := n.Decode(&p); err != nil {
			return Template{}, fmt.Errorf("parameter %s: %w", name, err)
		}
		t.parameters = append(t.parameters, p)
	}
	for id, n := range templates.Members(templates.Member(t.root, "Resources")) {
		r := declared{
			LogicalID: id, Type: templates.Scalar(n, "Type"), Condition: templates.Scalar(n, "Condition"), DeletionPolicy: templates.Scalar(n, "DeletionPolicy"),
		}
		if r.Type == "" {
			return Template{}, fmt.Errorf("resource %s: has no type", id)
		}
		t.resources = append(t.resources, r)
	}
	if len(t.resources) == 0 {
		return Template{}, errors.New("it has no resources")
	}
	return t, nil
}

// Parameters gives the parameters in the order in which they are declared.
func (t Template) Parameters() []Parameter { return slices.Clone(t.parameters) }

// Parameter gives a parameter by its name.
func (t Template) Parameter(name string) (Parameter, bool) {
	i := slices.IndexFunc(t.parameters, func(p Parameter) bool { return p.Name == name })
	if i < 0 {
		return Parameter{}, false
	}
	return t.parameters[i], true
}

// Resolve gives the template with these values in the place of its parameters, secret ones
// masked, without what conditions leave out. region takes the place of AWS::Region where it
// is not empty. What only AWS knows stays the function that it is.
func (t Template) Resolve(values []Value, region string) *yaml.Node {
	known := map[string]string{}
	for _, v := range values {
		known[v.Name] = v.String()
	}
	if region != "" {
		known["AWS::Region"] = region
	}
	return templates.Resolve(t.root, known, nil)
}

// Body gives the template as CloudFormation gets it: as it was written, or without its
// comments where it would be too long for a request.
func (t Template) Body() (string, error) {
	if len(t.text) <= maxBody {
		return string(t.text), nil
	}
	bare, err := yaml.Dump(uncommented(t.root))
	if err != nil {
		return "", fmt.Errorf("%s: writing it without comments: %w", t.File, err)
	}
	if len(bare) > maxBody {
		return "", fmt.Errorf("%s: has %d bytes without comments, and CloudFormation takes %d: split it", t.File, len(bare), maxBody)
	}
	return string(bare), nil
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
