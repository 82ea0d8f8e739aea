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

// tableActions gives the actions that the code over the table needs. A transaction needs
// those of what it is made of.
func tableActions() (map[string]bool, error) {
	actions := map[string]bool{}
	err := selectors("../../internal/dynamo", []string{"table.go"}, func(owner, name string) {
		switch {
		case strings.HasSuffix(owner, ".db") && name != "TransactWriteItems" && name != "Options":
			actions["dynamodb:"+name] = true
		case owner == "types" && slices.Contains([]string{"Put", "Update", "Delete"}, name):
			actions["dynamodb:"+name+"Item"] = true
		case owner == "types" && name == "ConditionCheck":
			actions["dynamodb:ConditionCheckItem"] = true
		}
	})
	if err == nil && len(actions) == 0 {
		err = fmt.Errorf("no call of DynamoDB was found in the code")
	}
	return actions, err
}

// poolActions gives the actions of the user pool that the code needs: those for
// administrators. The others no policy grants.
func poolActions() (map[string]bool, error) {
	actions := map[string]bool{}
	err := selectors("../../internal/cognito", []string{"pool.go"}, func(owner, name string) {
		if strings.HasSuffix(owner, ".api") && strings.HasPrefix(name, "Admin") {
			actions["cognito-idp:"+name] = true
		}
	})
	if err == nil && len(actions) == 0 {
		err = fmt.Errorf("no call of Cognito was found in the code")
	}
	return actions, err
}

// selectors calls f with every owner.name in the Go files of a folder, tests and the files
// named apart.
func selectors(dir string, apart []string, f func(owner, name string)) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("%s: has no Go files: %w", dir, err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") || slices.Contains(apart, filepath.Base(file)) {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			switch owner := s.X.(type) {
			case *ast.Ident:
				f(owner.Name, s.Sel.Name)
			case *ast.SelectorExpr:
				f("."+owner.Sel.Name, s.Sel.Name)
			}
			return true
		})
	}
	return nil
}
