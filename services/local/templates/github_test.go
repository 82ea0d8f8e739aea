package templates_test

import (
	"maps"
	"slices"
	"strings"
)

func gitHub(d *deployment, bad bad) {
	for _, l := range d.render(options()) {
		roles := 0
		for _, id := range l.ofType("AWS::IAM::Role") {
			trust := first(l.resources[id].Properties, "AssumeRolePolicyDocument", "Statement")
			if str(trust, "Action") != "sts:AssumeRoleWithWebIdentity" {
				continue
			}
			roles++
			got, _ := get(trust, "Condition", "StringEquals").(map[string]any)
			want := map[string]any{
				"token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
				"token.actions.githubusercontent.com:sub": "repo:owner/name:environment:" + options().name,
			}
			if !maps.Equal(got, want) {
				bad("%s: %s may be taken by %v, want %v", l.template.file, id, got, want)
			}
		}
		if l.Name != "ci" {
			continue
		}
		if roles != 2 {
			bad("%s: has %d roles for GitHub, want one that pushes and one that deploys", l.template.file, roles)
		}
		calls, err := deployCalls()
		if err != nil {
			bad("%v", err)
		}
		for _, s := range l.statements() {
			if s.resource != "DeployRole" {
				continue
			}
			maps.DeleteFunc(calls, func(a string, _ bool) bool { return slices.Contains(s.Actions, a) })
			for _, a := range s.Actions {
				switch {
				case a == "iam:PassRole":
					if got := texts(s.Conditions, "StringEquals", "iam:PassedToService"); !slices.Equal(got, []string{"ecs-tasks.amazonaws.com", "lambda.amazonaws.com"}) {
						bad("%s: roles may be given to %v", s.where, got)
					}
				case a == "lambda:InvokeFunction": // by `spillway smoke`
					for _, r := range s.Resources {
						if !strings.HasSuffix(r, "-register:live") && !strings.HasSuffix(r, "-login:live") {
							bad("%s: may invoke %s", s.where, r)
						}
					}
				case !reads(a) && str(s.Conditions, "ForAnyValue:StringEquals", "aws:CalledVia") != "cloudformation.amazonaws.com":
					bad("%s: %s is allowed without CloudFormation between", s.where, a)
				}
			}
		}
		for a := range calls {
			bad("ci.yaml: `spillway deploy` asks for %s, which DeployRole may not do", a)
		}
	}
}

// reads says whether an action changes nothing, or stacks and the record of releases alone.
func reads(action string) bool {
	service, what, _ := strings.Cut(action, ":")
	return service == "cloudformation" || action == "ssm:PutParameter" || slices.ContainsFunc([]string{"Describe", "Get", "List", "BatchGet", "Simulate"}, func(verb string) bool {
		return strings.HasPrefix(what, verb)
	})
}
