package templates_test

import (
	"fmt"
	"go/types"
	"strings"
	"sync"

	"golang.org/x/tools/go/packages"
	"golang.org/x/tools/go/ssa"
	"golang.org/x/tools/go/ssa/ssautil"
)

// ours is what our packages' paths begin with.
const ours = "spillway.example/"

// reachedActions gives, for each service, the IAM actions of the calls that its program can
// come to, beginning at main: those of the table, and of the user pool those for
// administrators, since no policy grants the others.
var reachedActions = sync.OnceValues(func() (map[string]map[string]bool, error) {
	program, err := load()
	if err != nil {
		return nil, err
	}
	actions := map[string]map[string]bool{}
	for _, service := range []string{"register", "login"} {
		main := program.ImportedPackage(ours + "services/" + service + "/cmd/" + service)
		if main == nil {
			return nil, fmt.Errorf("%s: its program was not found", service)
		}
		r := &reach{program: program, seen: map[*ssa.Function]bool{}, invoked: map[*types.Func]bool{}, made: map[types.Type]bool{}, actions: map[string]bool{}}
		r.function(main.Func("main"))
		r.function(main.Func("init"))
		r.methods()
		if len(r.actions) == 0 {
			return nil, fmt.Errorf("%s: comes to no call of AWS", service)
		}
		actions[service] = r.actions
	}
	return actions, nil
})

// load reads our packages below the two programs. Those of others are types alone.
func load() (*ssa.Program, error) {
	mains := []string{ours + "services/register/cmd/register", ours + "services/login/cmd/login"}
	roots, err := packages.Load(&packages.Config{Mode: packages.NeedName | packages.NeedImports | packages.NeedDeps}, mains...)
	if err != nil {
		return nil, err
	}
	var paths []string
	packages.Visit(roots, nil, func(p *packages.Package) {
		if strings.HasPrefix(p.PkgPath, ours) {
			paths = append(paths, p.PkgPath)
		}
	})
	loaded, err := packages.Load(&packages.Config{Mode: packages.LoadSyntax}, paths...)
	if err != nil {
		return nil, err
	}
	for _, p := range loaded {
		for _, e := range p.Errors {
			return nil, e
		}
	}
	program, _ := ssautil.Packages(loaded, ssa.InstantiateGenerics)
	program.Build()
	return program, nil
}

// reach is what can be come to (Bacon and Sweeney's rapid type analysis, over our own code):
// a function that one which is reached calls or mentions, and a method of a type that is
// made, where the method is called by an interface or the type handed to others' code as one.
type reach struct {
	program *ssa.Program
	seen    map[*ssa.Function]bool
	invoked map[*types.Func]bool
	made    map[types.Type]bool
	actions map[string]bool
}

func (r *reach) function(f *ssa.Function) {
	if f == nil || r.seen[f] {
		return
	}
	r.seen[f] = true
	r.action(f)
	for _, b := range f.Blocks {
		for _, i := range b.Instrs {
			r.instruction(i)
		}
	}
}

func (r *reach) instruction(i ssa.Instruction) {
	for _, o := range i.Operands(nil) {
		if f, ok := (*o).(*ssa.Function); ok {
			r.function(f)
		}
	}
	switch i := i.(type) {
	case ssa.CallInstruction:
		if m := i.Common().Method; m != nil {
			r.invoked[m] = true
		}
	case *ssa.MakeInterface:
		r.made[i.X.Type()] = true
		if !isOurs(i.Type()) {
			r.invokeAll(i.Type())
		}
	case *ssa.ChangeInterface:
		if !isOurs(i.Type()) {
			r.invokeAll(i.Type())
		}
	case *ssa.Alloc:
		r.transaction(i.Type())
	}
}

// invokeAll notes that others' code may call every method of an interface of theirs.
func (r *reach) invokeAll(t types.Type) {
	if face, ok := t.Underlying().(*types.Interface); ok {
		for m := range face.Methods() {
			r.invoked[m] = true
		}
	}
}

// methods adds the methods that are called by interfaces, until there are no more.
func (r *reach) methods() {
	for before := -1; before != len(r.seen)+len(r.made)+len(r.invoked); {
		before = len(r.seen) + len(r.made) + len(r.invoked)
		for m := range r.invoked {
			face, ok := m.Signature().Recv().Type().Underlying().(*types.Interface)
			if !ok {
				continue
			}
			for t := range r.made {
				if types.Implements(t, face) {
					if s := r.program.MethodSets.MethodSet(t).Lookup(m.Pkg(), m.Name()); s != nil {
						r.function(r.program.MethodValue(s))
					}
				}
			}
		}
	}
}

func isOurs(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Pkg() != nil && strings.HasPrefix(named.Obj().Pkg().Path(), ours)
}

const sdk = "github.com/aws/aws-sdk-go-v2/service/"

// action notes a call of DynamoDB or Cognito.
func (r *reach) action(f *ssa.Function) {
	if f.Pkg == nil || f.Signature.Recv() == nil {
		return
	}
	switch name := f.Name(); {
	case f.Pkg.Pkg.Path() == sdk+"dynamodb" && name != "TransactWriteItems" && name != "Options":
		r.actions["dynamodb:"+name] = true
	case f.Pkg.Pkg.Path() == sdk+"cognitoidentityprovider" && strings.HasPrefix(name, "Admin"):
		r.actions["cognito-idp:"+name] = true
	}
}

// transaction notes what a transaction is made of, whose actions it needs instead of one of
// its own.
func (r *reach) transaction(t types.Type) {
	switch strings.TrimPrefix(t.String(), "*"+sdk+"dynamodb/types.") {
	case "Put":
		r.actions["dynamodb:PutItem"] = true
	case "Update":
		r.actions["dynamodb:UpdateItem"] = true
	case "Delete":
		r.actions["dynamodb:DeleteItem"] = true
	case "ConditionCheck":
		r.actions["dynamodb:ConditionCheckItem"] = true
	}
}
