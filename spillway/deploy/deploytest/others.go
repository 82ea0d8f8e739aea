package deploytest

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

func (a *AWS) getAlias(c call) (any, error) {
	function, _, _ := strings.Cut(strings.TrimPrefix(c.path, "/2015-03-31/functions/"), "/")
	function = function[strings.LastIndex(function, ":")+1:]
	n := a.aliases[function]
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
	return el("Account", Account) + el("Arn", "arn:aws:sts::"+Account+":assumed-role/deployer/ci") + el("UserId", "A"), nil
}

// Certify has ACM know a certificate.
func (a *AWS) Certify(arn, status string, domains ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.certs[arn] = append([]string{status}, domains...)
}

// Bury has Secrets Manager be about to delete a secret.
func (a *AWS) Bury(secret string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.buried[secret] = true
}

// Deny has IAM say that the caller may not do something.
func (a *AWS) Deny(action string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.denied[action] = true
}

func (a *AWS) getAuthorizationToken(call) (any, error) {
	return map[string]any{"authorizationData": []any{map[string]any{"authorizationToken": base64.StdEncoding.EncodeToString([]byte("AWS:token"))}}}, nil
}

func (a *AWS) describeCertificate(c call) (any, error) {
	cert, ok := a.certs[fmt.Sprint(c.body["CertificateArn"])]
	if !ok {
		return nil, &failure{http.StatusBadRequest, "ResourceNotFoundException", "Could not find the certificate"}
	}
	return map[string]any{"Certificate": map[string]any{"Status": cert[0], "DomainName": cert[1], "SubjectAlternativeNames": cert[2:]}}, nil
}

func (a *AWS) describeSecret(c call) (any, error) {
	id := fmt.Sprint(c.body["SecretId"])
	for _, s := range a.stacks {
		for _, r := range s.resources {
			if r.physical != id {
				continue
			}
			if a.buried[id] {
				return map[string]any{"Name": id, "DeletedDate": 1.0}, nil
			}
			return map[string]any{"Name": id}, nil
		}
	}
	return nil, &failure{http.StatusBadRequest, "ResourceNotFoundException", "Secrets Manager can't find the specified secret."}
}

func (a *AWS) simulate(c call) (any, error) {
	var actions []string
	for i := 1; c.form.Has("ActionNames.member." + strconv.Itoa(i)); i++ {
		actions = append(actions, c.form.Get("ActionNames.member."+strconv.Itoa(i)))
	}
	return each("EvaluationResults", actions, func(action string) markup {
		decision := "allowed"
		if a.denied[action] {
			decision = "implicitDeny"
		}
		return el("EvalActionName", action) + el("EvalDecision", decision)
	}) + el("IsTruncated", false), nil
}
