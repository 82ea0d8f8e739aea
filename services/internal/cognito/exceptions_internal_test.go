package cognito

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/smithy-go"

	"spillway.example/services/internal/account"
)

// told is what an operation may fail with, by the contract of the methods that use it,
// beside what any may: CodeTooManyRequests, CodeUnavailable and CodeInternal. Methods that
// are idempotent make nothing of what is left.
var told = map[operation][]account.Code{
	signUp:        {account.CodeUsernameTaken, account.CodeInvalid},
	confirmSignUp: {account.CodeMismatch, account.CodeExpired},
	resendCode:    {account.CodeNotFound},
	initiateAuth:  {account.CodeInvalidCredentials, account.CodeNotConfirmed, account.CodeChallenge},
	refreshTokens: {account.CodeInvalidToken},
	revokeToken:   {account.CodeInvalidToken},
	globalSignOut: {account.CodeInvalidToken},
	getUser:       {account.CodeInvalidToken},
	adminGetUser:  {account.CodeNotFound},
	adminConfirm:  {account.CodeNotFound},
	adminDelete:   {account.CodeNotFound},
	adminSignOut:  {account.CodeNotFound},
	change:        {account.CodeInvalidToken, account.CodeInvalid},
	adminUpdate:   {account.CodeNotFound},
	adminPassword: {account.CodeNotFound, account.CodeInvalid},
	respond:       {account.CodeInvalidCredentials, account.CodeMismatch, account.CodeExpired, account.CodeInvalid},
	forgot:        {account.CodeNotFound},
	confirmForgot: {account.CodeMismatch, account.CodeExpired, account.CodeInvalid},
}

// TestEveryExceptionHasAMeaning reads the SDK's own deserializers for the exceptions of
// each operation that the directory uses: an SDK that brings a new one fails this test.
func TestEveryExceptionHasAMeaning(t *testing.T) {
	t.Parallel()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Dir}}", "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider").Output()
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(strings.TrimSpace(string(dir)), "deserializers.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for op, codes := range told {
		codes = append(codes, account.CodeTooManyRequests, account.CodeUnavailable, account.CodeInternal)
		for _, name := range exceptions(file, "awsAwsjson11_deserializeOpError"+string(op)) {
			found++
			if meanings[name] == nil {
				t.Errorf("%s of %s has no meaning", name, op)
			}
			got := account.CodeOf(failure(op, &smithy.GenericAPIError{Code: name}))
			if !slices.Contains(codes, got) {
				t.Errorf("%s of %s: got %s, which its method's contract does not name", name, op, got)
			}
		}
	}
	if found < len(told)*5 {
		t.Errorf("found %d exceptions in the SDK: the test no longer reads it right", found)
	}
}

// exceptions gives the names that a function compares with.
func exceptions(file *ast.File, function string) (names []string) {
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Name.Name != function {
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if s, err := strconv.Unquote(lit.Value); err == nil && strings.HasSuffix(s, "Exception") {
					names = append(names, s)
				}
			}
			return true
		})
	}
	return names
}
