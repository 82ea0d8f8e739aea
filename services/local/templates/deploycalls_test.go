package templates_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
)

// deployCode is where `spillway deploy` asks AWS.
const deployCode = "../../../spillway/deploy/awscloud"

// forPeople are actions of `spillway deploy` that GitHub has no need of: destroy, and the
// protection of stacks that it never changes.
var forPeople = []string{"cloudformation:DeleteStack", "cloudformation:UpdateTerminationProtection", "ssm:DeleteParameter"}

// deployCalls gives the IAM actions of what `spillway deploy` asks for, by the inputs that it
// makes, such as ecs.DescribeServicesInput.
func deployCalls() (map[string]bool, error) {
	actions := map[string]bool{}
	files, err := filepath.Glob(filepath.Join(deployCode, "*.go"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			service, isName := s.X.(*ast.Ident)
			name, isInput := strings.CutSuffix(s.Sel.Name, "Input")
			if !isName || !isInput {
				return true
			}
			a := strings.TrimSuffix(service.Name, "v2") + ":" + name
			if !slices.Contains(forPeople, a) {
				actions[a] = true
			}
			return true
		})
	}
	if len(actions) == 0 {
		return nil, fmt.Errorf("%s: asks AWS for nothing", deployCode)
	}
	return actions, nil
}
