package local_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"spillway.example/services/internal/account"
)

// TestEveryFailureIsDocumented makes a request of each operation fail at each call to a port,
// in each way that the port's interface says it may: whatever comes of it is in the document.
func TestEveryFailureIsDocumented(t *testing.T) {
	t.Parallel()
	failures := failuresOfPorts(t)
	s := &stage{t: t, door: "lambda behind a load balancer"}
	policies := account.DefaultPolicies()
	policies[account.GuessAddress], policies[account.MailAddress], policies[account.SignUpAddress] = nil, nil, nil // all come from one
	s.world = newWorld(change{hook: s.call, limits: policies})
	s.ports.Directory = s.Memory
	s.newest = func(email string) string {
		mails := s.Mails(email)
		return mails[len(mails)-1].Text
	}
	s.contract = readContract(t, s.world)
	tried := 0
	for _, id := range slices.Sorted(maps.Keys(s.operations)) {
		var calls []string
		s.failing(func(call string) error {
			calls = append(calls, call)
			return nil
		}, good[id](s))
		for i, at := range calls {
			for _, code := range failures[at] {
				if at == "Directory.SignIn" && code == account.CodeNotConfirmed && id != "login" {
					continue // a bearer's account is confirmed
				}
				c, n, met := good[id](s), 0, false
				g := s.failing(func(call string) error {
					if n++; n != i+1 {
						return nil
					}
					met = call == at
					return failure(code)
				}, c)
				if !met {
					t.Errorf("%s makes other calls the second time", id)
				}
				// The world panics where the document does not have an answer.
				if g.member("code") == "internal" && code != account.CodeInternal {
					t.Errorf("%s, with %s of %s, is %d %s: see the log", id, code, at, g.status, g.body)
				}
				tried++
			}
		}
	}
	if tried < 300 {
		t.Errorf("%d failures tried: the ports have more", tried)
	}
}

func failure(code account.Code) error {
	switch code {
	case account.CodeChallenge:
		return secondFactor
	case account.CodeInvalid:
		return &account.Error{Code: code, Message: "Some fields break a rule.", Fields: []account.Field{{Name: "password", Message: "is refused"}}}
	case account.CodeUnavailable:
		return account.ErrUnavailable(nil)
	case account.CodeTooManyRequests:
		return account.ErrThrottled(nil)
	}
	return account.Errorf(code, nil, "A message.")
}

// failuresOfPorts gives the codes that each method of a port may fail with, as its comment has
// it, by such names as "Directory.SignIn". Any may say that it is throttled, that what is behind
// it is down, or that something is wrong, but for [account.SessionLister]: no directory with
// quotas is one.
func failuresOfPorts(t *testing.T) map[string][]account.Code {
	t.Helper()
	files, err := filepath.Glob("../internal/account/*.go")
	if err != nil {
		t.Fatal(err)
	}
	constants, failures := map[string]account.Code{}, map[string][]account.Code{}
	comments := map[string]string{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				if value, ok := first(n.Values).(*ast.BasicLit); ok && regexp.MustCompile(`^Code[A-Z]`).MatchString(n.Names[0].Name) {
					constants[n.Names[0].Name] = account.Code(value.Value[1 : len(value.Value)-1])
				}
			case *ast.TypeSpec:
				port, ok := n.Type.(*ast.InterfaceType)
				if !ok {
					return true
				}
				for _, method := range port.Methods.List {
					if len(method.Names) == 1 {
						comments[n.Name.Name+"."+method.Names[0].Name] = method.Doc.Text()
					}
				}
			}
			return true
		})
	}
	for method, comment := range comments {
		codes := map[account.Code]bool{account.CodeInternal: true, account.CodeUnavailable: true}
		if name, ok := cutLister(method); ok {
			method = name
		} else {
			codes[account.CodeTooManyRequests] = true
		}
		for _, name := range regexp.MustCompile(`Code[A-Z]\w+`).FindAllString(comment, -1) {
			codes[constants[name]] = true
		}
		delete(codes, "") // what is no code's name
		failures[method] = slices.Sorted(maps.Keys(codes))
	}
	return failures
}

func first[T any](list []T) (v T) {
	if len(list) > 0 {
		return list[0]
	}
	return v
}

// cutLister gives the name that a method of a directory's sessions has as one of the directory.
func cutLister(method string) (string, bool) {
	name, ok := strings.CutPrefix(method, "SessionLister.")
	return "Directory." + name, ok
}
