package deploytest

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Manifest is an image in the registry.
type Manifest struct{}

func (a *AWS) getAlias(c call) (any, error) {
	function, _, _ := strings.Cut(strings.TrimPrefix(c.path, "/2015-03-31/functions/"), "/")
	function = function[strings.LastIndex(function, ":")+1:]
	n := len(a.versions[function])
	if n == 0 {
		return nil, &failure{http.StatusNotFound, "ResourceNotFoundException", "Cannot find alias arn: live"}
	}
	return map[string]any{"Name": "live", "FunctionVersion": strconv.Itoa(n)}, nil
}

func (a *AWS) getFunction(c call) (any, error) {
	function := strings.TrimPrefix(c.path, "/2015-03-31/functions/")
	function = function[strings.LastIndex(function, ":")+1:]
	n, err := strconv.Atoi(c.query.Get("Qualifier"))
	if err != nil || n < 1 || n > len(a.versions[function]) {
		return nil, &failure{http.StatusNotFound, "ResourceNotFoundException", "Function not found"}
	}
	return map[string]any{
		"Configuration": map[string]any{"FunctionName": function, "State": "Active", "Version": c.query.Get("Qualifier")},
		"Code":          map[string]any{"ImageUri": a.versions[function][n-1], "ResolvedImageUri": a.versions[function][n-1]},
	}, nil
}

func (a *AWS) putParameter(c call) (any, error) {
	name := fmt.Sprint(c.body["Name"])
	a.history[name] = append(a.history[name], fmt.Sprint(c.body["Value"]))
	return map[string]any{"Version": len(a.history[name])}, nil
}

func (a *AWS) getParameterHistory(c call) (any, error) {
	name := fmt.Sprint(c.body["Name"])
	if len(a.history[name]) == 0 {
		return nil, &failure{http.StatusBadRequest, "ParameterNotFound", ""}
	}
	var all []any
	for i, v := range a.history[name] {
		all = append(all, map[string]any{"Name": name, "Version": i + 1, "Value": v})
	}
	return map[string]any{"Parameters": all}, nil
}

func (a *AWS) deleteParameter(c call) (any, error) {
	name := fmt.Sprint(c.body["Name"])
	if len(a.history[name]) == 0 {
		return nil, &failure{http.StatusBadRequest, "ParameterNotFound", ""}
	}
	delete(a.history, name)
	return map[string]any{}, nil
}

func (a *AWS) getCallerIdentity(call) (any, error) {
	return el("Account", Account) + el("Arn", "arn:aws:iam::"+Account+":role/deployer") + el("UserId", "A"), nil
}
