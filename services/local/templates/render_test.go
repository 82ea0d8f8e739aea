package templates_test

import (
	"fmt"
	"maps"
	"strings"

	"go.yaml.in/yaml/v4"

	"spillway.example/services/local/templates"
)

// live is a stack as CloudFormation would make it: functions carried out, what conditions
// exclude left out. What only AWS knows is a name in braces, such as {Table.Arn}.
type live struct {
	stack
	template  template
	values    map[string]string // of the parameters
	resources map[string]resource
	outputs   map[string]any
	missing   []string // parameters without a value
}

type resource struct {
	Type, DeletionPolicy, UpdateReplacePolicy string
	DependsOn                                 any
	Properties                                map[string]any
}

// variant is one way to deploy everything.
type variant struct {
	name   string // the environment's
	values map[string]map[string]any
}

// options is a variant with the longest name, and with everything on that is off by itself.
func options() variant {
	service := map[string]any{
		"SpotWeight": "1", "FloorStart": "cron(0 7 ? * MON-FRI *)", "FloorEnd": "cron(0 19 ? * MON-FRI *)", "EmailRequired": "true",
		"OtlpEndpoint": "https://otlp.example.com", "BreachedPasswordsUrl": "https://api.pwnedpasswords.com", "Limits": "guess.address=600/1m,20000/24h; sign_up.address=off",
		"SmtpUrlSecretArn":       "arn:aws:secretsmanager:eu-west-1:123456789012:secret:spillway-abcdefghij/smtp-url-of-notic-AbCdEf",
		"IntrospectionSecretArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:spillway-abcdefghij/introspection-sec-AbCdEf",
		"Architecture":           "x86_64", "ReservedConcurrency": "-1", "FunctionTracing": "Active", "LogLevel": "debug",
	}
	return variant{"abcdefghij", map[string]map[string]any{
		"network":  {"Zones": "3", "Egress": "endpoints", "MailPort": "587"},
		"identity": {"Mfa": "OPTIONAL", "SesIdentityArn": "arn:aws:ses:eu-west-1:123456789012:identity/example.com", "FromAddress": "a@example.com"},
		"edge": {
			"DomainName": "accounts.example.com", "CertificateArn": "arn:aws:acm:eu-west-1:123456789012:certificate/x",
			"HostedZoneId": "Z123", "Waf": "true",
		},
		"observability": {"AlarmEmail": "a@example.com"},
		"cost":          {"Scope": "environment"},
		"ci":            {"GitHubRepository": "owner/name", "PromoteFrom": "staging"},
		"register":      service, "login": service,
	}}
}

// variants gives the environments of deploy/environments and [options].
func (d *deployment) variants() []variant {
	all := []variant{options()}
	for _, name := range sorted(d.environments) {
		all = append(all, variant{name, d.environments[name]})
	}
	return all
}

// image is what ImageUri is given.
func image(service string) string {
	return "123456789012.dkr.ecr.eu-west-1.amazonaws.com/spillway/x/" + service + "@sha256:" + strings.Repeat("0123456789abcdef", 4)
}

// render makes every stack of a variant, in order.
func (d *deployment) render(v variant) []live {
	exports := map[string]any{}
	all := make([]live, 0, len(d.stacks))
	for _, s := range d.stacks {
		l := d.renderStack(s, v, exports)
		for name := range l.outputs {
			output, _ := l.outputs[name].(map[string]any)
			if export := str(output, "Export", "Name"); export != "" {
				exports[export] = output["Value"]
			}
		}
		all = append(all, l)
	}
	return all
}

func (d *deployment) renderStack(s stack, v variant, exports map[string]any) live {
	l := live{stack: s, template: d.templates[s.Template], values: map[string]string{}, resources: map[string]resource{}}
	for _, name := range sorted(l.template.parameters) {
		given, ok := v.values[s.Name][name]
		def, hasDefault := get(l.template.parameters[name], "Default").(string)
		switch {
		case ok:
			l.values[name] = fmt.Sprint(given)
		case name == "Environment":
			l.values[name] = v.name
		case name == "Service":
			l.values[name] = s.Service
		case name == "ImageUri":
			l.values[name] = image(s.Service)
		case hasDefault:
			l.values[name] = def
		default:
			l.missing = append(l.missing, name)
		}
	}
	made := plain(templates.Resolve(l.template.root, l.known(), l.fromAWS(exports)))
	for id, r := range section(made, "Resources") {
		l.resources[id] = resource{
			Type: str(r, "Type"), DeletionPolicy: str(r, "DeletionPolicy"), UpdateReplacePolicy: str(r, "UpdateReplacePolicy"),
			DependsOn: get(r, "DependsOn"), Properties: section(r, "Properties"),
		}
	}
	l.outputs = section(made, "Outputs")
	return l
}

// known gives the values of the parameters and of the pseudo parameters.
func (l live) known() map[string]string {
	known := map[string]string{"AWS::Region": "eu-west-1", "AWS::AccountId": "123456789012", "AWS::Partition": "aws"}
	maps.Copy(known, l.values)
	return known
}

// fromAWS makes up what only AWS knows: names in braces, the id of a user pool, which
// programs take apart, and what the stacks before have exported.
func (l live) fromAWS(exports map[string]any) templates.Live {
	answer := func(function, argument string, list []string) any {
		switch function {
		case "Ref":
			if str(l.template.resources[argument], "Type") == "AWS::Cognito::UserPool" {
				return "eu-west-1_AbCdEfGhI"
			}
			return "{" + argument + "}"
		case "Fn::GetAtt":
			return "{" + argument + "}"
		case "Fn::ImportValue":
			if v, ok := exports[argument]; ok {
				return v
			}
			return "{no export " + argument + "}"
		case "Fn::GetAZs":
			return []string{"eu-west-1a", "eu-west-1b", "eu-west-1c"}
		case "Fn::Cidr":
			blocks := []string{}
			for i := range int(number(map[string]any{"n": list[1]}, "n")) {
				blocks = append(blocks, fmt.Sprintf("{block %d}", i))
			}
			return blocks
		}
		panic("templates: there is no answer for " + function)
	}
	return func(function string, argument *yaml.Node) *yaml.Node {
		var list []string
		for _, n := range argument.Content {
			list = append(list, n.Value)
		}
		var n yaml.Node
		if err := n.Encode(answer(function, argument.Value, list)); err != nil {
			panic(err)
		}
		return &n
	}
}

// ofType gives the ids of the resources of a type, in order.
func (l live) ofType(name string) []string {
	var ids []string
	for _, id := range sorted(l.resources) {
		if l.resources[id].Type == name {
			ids = append(ids, id)
		}
	}
	return ids
}

// only gives the one resource of a type.
func (l live) only(name string) map[string]any {
	ids := l.ofType(name)
	if len(ids) != 1 {
		return nil
	}
	return l.resources[ids[0]].Properties
}
