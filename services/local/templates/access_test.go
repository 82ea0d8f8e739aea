package templates_test

import (
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// access is who may do what, and who may know what.
func access() []check {
	return []check{
		{
			"a wildcard in a policy has its reason beside it", wildcards,
			[]mutation{
				{"service.yaml", `Resource: "*" # reason: X-Ray has no resources to name`, `Resource: "*"`},
				{"ci.yaml", `Action: cognito-idp:Admin* # reason: a boundary grants nothing; which of them, service.yaml says`, `Action: cognito-idp:Admin*`},
				{"service.yaml", "TableActions: [", `TableActions: ["dynamodb:*", `},
			},
		},
		{
			"a service may do what its code asks for, and nothing else", permissions,
			[]mutation{
				{"service.yaml", "dynamodb:PutItem, ", ""},
				{"service.yaml", "dynamodb:PutItem, ", "dynamodb:PutItem, dynamodb:Scan, "},
				{"service.yaml", "cognito-idp:AdminDeleteUser]", "cognito-idp:AdminDisableUser]"},
				{"service.yaml", `Resource: {Fn::ImportValue: !Sub "spillway-${Environment}-table-arn"}`, `Resource: "*" # reason: none`},
				{"service.yaml", "                Resource: !Ref Alias", `                Resource: !Sub "arn:aws:lambda:eu-west-1:123456789012:function:*"`},
				{"service.yaml", "Action: secretsmanager:GetSecretValue", "Action: secretsmanager:ListSecrets"},
				{"service.yaml", "              - !If [Mail, !Ref SmtpUrlSecretArn, !Ref AWS::NoValue]\n", "              - arn:aws:secretsmanager:eu-west-1:123456789012:secret:other\n"},
			},
		},
		{
			"roles of services have their boundary, and keep to it", bounded,
			[]mutation{
				{"service.yaml", `      PermissionsBoundary: {Fn::ImportValue: !Sub "spillway-${Environment}-boundary"}` + "\n", ""},
				{"ci.yaml", "dynamodb:UpdateItem, ", ""},
				{"ci.yaml", "                  StringEquals: {iam:PermissionsBoundary: !Ref Boundary}\n", ""},
			},
		},
		{
			"GitHub deploys from one repository's environment, by CloudFormation alone", gitHub,
			[]mutation{
				{"ci.yaml", `sub: !Sub "repo:${GitHubRepository}:environment:${Environment}"`, `sub: !Sub "repo:${GitHubRepository}:*"`},
				{"ci.yaml", "                Condition: {ForAnyValue:StringEquals: {aws:CalledVia: cloudformation.amazonaws.com}}\n", ""},
				{"ci.yaml", "token.actions.githubusercontent.com:aud: sts.amazonaws.com", "other: sts.amazonaws.com"},
				{"ci.yaml", "                  - ecs:DescribeServices\n", ""},
				{"ci.yaml", "{iam:PassedToService: [ecs-tasks.amazonaws.com, lambda.amazonaws.com]}", "{iam:PassedToService: [ec2.amazonaws.com]}"},
			},
		},
		{
			"every secret is given by reference", secrets,
			[]mutation{
				{"service.yaml", "            - {Name: STORE, Value: aws}\n", "            - {Name: STORE, Value: aws}\n            - {Name: USER_POOL_CLIENT_SECRET, Value: hunter2}\n"},
				{"identity.yaml", "    Value: !Ref ClientSecret\n", "    Value: !GetAtt Client.ClientSecret\n"},
				{"identity.yaml", "      SecretString: !GetAtt Client.ClientSecret", "      SecretString: hunter2"},
				{"identity.yaml", "  AccessTokenMinutes:\n", "  ClientPassword: {Type: String, NoEcho: true, Default: x}\n  AccessTokenMinutes:\n"},
				{"service.yaml", "          STORE: aws\n", "          STORE: \"{{resolve:secretsmanager:x}}\"\n"},
				{"service.yaml", "{Name: USER_POOL_CLIENT_SECRET_ARN,", "{Name: USER_POOL_CLIENT_SECRET_AR,"},
			},
		},
	}
}

// statement is one of a policy.
type statement struct {
	where      string // template, resource
	stack      live
	resource   string
	Effect     string
	Actions    []string
	Resources  []string
	Conditions any
}

// statements gives every statement of the policies in a stack, trust policies left out.
func (l live) statements() []statement {
	var all []statement
	for _, id := range sorted(l.resources) {
		walk(l.resources[id].Properties, func(path []string, v any) {
			if len(path) == 0 || path[len(path)-1] != "Statement" || slices.Contains(path, "AssumeRolePolicyDocument") {
				return
			}
			for _, s := range items(map[string]any{"s": v}, "s") {
				all = append(all, statement{
					where: l.template.file + ": " + id, stack: l, resource: id, Effect: str(s, "Effect"),
					Actions: texts(s, "Action"), Resources: texts(s, "Resource"), Conditions: get(s, "Condition"),
				})
			}
		})
	}
	return all
}

// wildcards goes by lines: a reason is for readers, who find it beside what it explains.
func wildcards(d *deployment, bad bad) {
	for _, file := range sorted(d.templates) {
		var doc yaml.Node
		_ = yaml.Unmarshal([]byte(d.templates[file].text), &doc) // parsed before
		lines := strings.Split(d.templates[file].text, "\n")
		reason := func(line int) bool {
			return line > 0 && line <= len(lines) && strings.Contains(lines[line-1], "# reason: ")
		}
		var visit func(n *yaml.Node, key string, policy, deny bool)
		visit = func(n *yaml.Node, key string, policy, deny bool) {
			if n.Kind == yaml.MappingNode {
				for i := 0; i+1 < len(n.Content); i += 2 {
					deny = deny || n.Content[i].Value == "Effect" && n.Content[i+1].Value == "Deny"
				}
				for i := 0; i+1 < len(n.Content); i += 2 {
					k := n.Content[i].Value
					in := policy || k == "Statement" || strings.HasSuffix(k, "Actions") || k == "SourceArn"
					visit(n.Content[i+1], k, in && k != "Values" && k != "RepositoryName", deny)
				}
				return
			}
			for _, c := range n.Content {
				visit(c, key, policy, deny)
			}
			if n.Kind == yaml.ScalarNode && policy && !deny && strings.Contains(n.Value, "*") && !reason(n.Line) && !reason(n.Line-1) {
				bad("%s:%d: a wildcard without a reason: %s", file, n.Line, n.Value)
			}
		}
		visit(&doc, "", false, false)
	}
}

func permissions(d *deployment, bad bad) {
	reached, err := reachedActions()
	if err != nil {
		bad("%v", err)
	}
	d.eachService(func(_ variant, l live) {
		granted := map[string]bool{}
		for _, s := range l.statements() {
			for _, a := range s.Actions {
				granted[a] = true
				of, _, _ := strings.Cut(a, ":")
				if (of == "dynamodb" || of == "cognito-idp") && !reached[l.Service][a] {
					bad("service.yaml: %s may %s, and its program never does", l.Service, a)
				}
			}
		}
		for a := range reached[l.Service] {
			if !granted[a] {
				bad("service.yaml: the program of %s comes to %s, which it may not do: see Mappings", l.Service, a)
			}
		}
	})
	own := map[string]string{
		"dynamodb": "{Table.Arn}", "cognito-idp": "{Pool.Arn}", "secretsmanager": "{ClientSecret}", "kms": "{Key.Arn}", "lambda": "{Alias}",
	}
	d.eachService(func(v variant, l live) {
		seen := map[string]bool{}
		for _, s := range l.statements() {
			for _, a := range s.Actions {
				of, what, _ := strings.Cut(a, ":")
				seen[of] = true
				if want := own[of]; want != "" && (!slices.Contains(s.Resources, want) || len(s.Resources) > 1 && of != "secretsmanager") {
					bad("%s: %s is allowed on %v, want %s", s.where, a, s.Resources, want)
				}
				for _, secret := range s.Resources {
					if of == "secretsmanager" && secret != own[of] && !slices.ContainsFunc(l.environ("task"), func(e string) bool { return strings.HasSuffix(e, "_ARN="+secret) }) {
						bad("%s: the secret %s may be read, and no setting names it", s.where, secret)
					}
				}
				if of == "secretsmanager" && what != "GetSecretValue" || of == "lambda" && what != "InvokeFunction" {
					bad("%s: %s is more than a service needs", s.where, a)
				}
			}
			if s.Effect != "Allow" {
				bad("%s: the effect is %q", s.where, s.Effect)
			}
		}
		for of := range own {
			if !seen[of] {
				bad("%s: %s of %s may do nothing of %s", l.template.file, l.Name, v.name, of)
			}
		}
	})
}

func bounded(d *deployment, bad bad) {
	for _, v := range d.variants() {
		var boundary []statement
		for _, l := range d.render(v) {
			for _, s := range l.statements() {
				switch {
				case s.resource == "Boundary":
					boundary = append(boundary, s)
				case l.Service != "":
					for _, a := range s.Actions {
						if !allows(boundary, a) {
							bad("%s: %s is outside the boundary of ci.yaml, and so is never allowed", s.where, a)
						}
					}
				case slices.Contains(s.Actions, "iam:CreateRole") || slices.Contains(s.Actions, "iam:PutRolePolicy"):
					if str(s.Conditions, "StringEquals", "iam:PermissionsBoundary") != "{Boundary}" {
						bad("%s: roles may be made without the boundary", s.where)
					}
				}
			}
			if l.Service == "" {
				continue
			}
			for _, id := range l.ofType("AWS::IAM::Role") {
				if str(l.resources[id].Properties, "PermissionsBoundary") != "{Boundary}" {
					bad("%s: %s has no boundary", l.template.file, id)
				}
			}
		}
	}
}

// allows says whether one of the statements has an action, by IAM's patterns.
func allows(all []statement, action string) bool {
	return slices.ContainsFunc(all, func(s statement) bool {
		return slices.ContainsFunc(s.Actions, func(pattern string) bool {
			ok, _ := path.Match(pattern, action) // no action has a slash
			return ok
		})
	})
}
