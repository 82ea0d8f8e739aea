package templates_test

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
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
		"Architecture": "x86_64", "ReservedConcurrency": "-1", "FunctionTracing": "Active", "LogLevel": "debug",
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
	l := live{stack: s, template: d.templates[s.Template], values: map[string]string{}, resources: map[string]resource{}, outputs: map[string]any{}}
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
	e := evaluator{live: &l, exports: exports}
	for id, r := range l.template.resources {
		if e.excluded(r) {
			continue
		}
		properties, _ := e.value(get(r, "Properties")).(map[string]any)
		l.resources[id] = resource{
			Type: str(r, "Type"), DeletionPolicy: str(r, "DeletionPolicy"), UpdateReplacePolicy: str(r, "UpdateReplacePolicy"),
			DependsOn: get(r, "DependsOn"), Properties: properties,
		}
	}
	for name, o := range l.template.outputs {
		if !e.excluded(o) {
			l.outputs[name] = e.value(o)
		}
	}
	return l
}

// evaluator carries out CloudFormation's functions.
type evaluator struct {
	live    *live
	exports map[string]any
}

// none is what AWS::NoValue is.
type none struct{}

var pseudo = map[string]any{
	"AWS::Region": "eu-west-1", "AWS::AccountId": "123456789012", "AWS::Partition": "aws", "AWS::NoValue": none{},
}

func (e evaluator) excluded(r any) bool {
	name := str(r, "Condition")
	return name != "" && !e.condition(map[string]any{"Condition": name})
}

func (e evaluator) value(v any) any {
	switch v := v.(type) {
	case []any:
		list := []any{}
		for _, item := range v {
			if got := e.value(item); got != (any)(none{}) {
				list = append(list, got)
			}
		}
		return list
	case map[string]any:
		if len(v) == 1 {
			for name, arg := range v {
				if name == "Ref" || strings.HasPrefix(name, "Fn::") {
					return e.call(name, arg)
				}
			}
		}
		m := map[string]any{}
		for k, item := range v {
			if got := e.value(item); got != (any)(none{}) {
				m[k] = got
			}
		}
		return m
	}
	return v
}

func (e evaluator) call(name string, arg any) any {
	list, _ := arg.([]any)
	switch name {
	case "Ref":
		return e.ref(arg.(string))
	case "Fn::GetAtt":
		return "{" + fmt.Sprint(arg) + "}"
	case "Fn::Sub":
		return e.sub(arg)
	case "Fn::ImportValue":
		export := fmt.Sprint(e.value(arg))
		if v, ok := e.exports[export]; ok {
			return v
		}
		return "{no export " + export + "}"
	case "Fn::If":
		if e.condition(map[string]any{"Condition": list[0]}) {
			return e.value(list[1])
		}
		return e.value(list[2])
	case "Fn::Join":
		var parts []string
		for _, p := range e.value(list[1]).([]any) {
			parts = append(parts, fmt.Sprint(p))
		}
		return strings.Join(parts, fmt.Sprint(list[0]))
	case "Fn::Split":
		var parts []any
		for p := range strings.SplitSeq(fmt.Sprint(e.value(list[1])), fmt.Sprint(list[0])) {
			parts = append(parts, p)
		}
		return parts
	case "Fn::Select":
		i, _ := strconv.Atoi(fmt.Sprint(list[0]))
		return e.value(list[1]).([]any)[i]
	case "Fn::FindInMap":
		return get(e.live.template.mappings, fmt.Sprint(list[0]), fmt.Sprint(e.value(list[1])), fmt.Sprint(e.value(list[2])))
	case "Fn::GetAZs":
		return []any{"eu-west-1a", "eu-west-1b", "eu-west-1c"}
	case "Fn::Cidr":
		var blocks []any
		count, _ := strconv.Atoi(fmt.Sprint(list[1]))
		for i := range count {
			blocks = append(blocks, fmt.Sprintf("{block %d}", i))
		}
		return blocks
	}
	panic("templates: there is no code for " + name)
}

// ref gives what Ref gives. A user pool's is its id, which programs take apart.
func (e evaluator) ref(name string) any {
	if v, ok := pseudo[name]; ok {
		return v
	}
	if v, ok := e.live.values[name]; ok {
		return v
	}
	if str(e.live.template.resources[name], "Type") == "AWS::Cognito::UserPool" {
		return "eu-west-1_AbCdEfGhI"
	}
	return "{" + name + "}"
}

var variable = regexp.MustCompile(`\$\{([^}!]+)\}`)

func (e evaluator) sub(arg any) any {
	text, locals := fmt.Sprint(arg), map[string]any{}
	if list, ok := arg.([]any); ok {
		text = fmt.Sprint(list[0])
		locals, _ = list[1].(map[string]any)
	}
	return variable.ReplaceAllStringFunc(text, func(found string) string {
		name := variable.FindStringSubmatch(found)[1]
		if v, ok := locals[name]; ok {
			return fmt.Sprint(e.value(v))
		}
		return fmt.Sprint(e.ref(name))
	})
}

func (e evaluator) condition(c any) bool {
	for name, arg := range c.(map[string]any) {
		list, _ := arg.([]any)
		switch name {
		case "Condition":
			return e.condition(e.live.template.conditions[fmt.Sprint(arg)])
		case "Fn::Equals":
			return fmt.Sprint(e.value(list[0])) == fmt.Sprint(e.value(list[1]))
		case "Fn::Not":
			return !e.condition(list[0])
		case "Fn::And":
			return !slices.ContainsFunc(list, func(c any) bool { return !e.condition(c) })
		case "Fn::Or":
			return slices.ContainsFunc(list, e.condition)
		}
	}
	panic("templates: there is no code for the condition " + fmt.Sprint(c))
}

// get goes down maps by their keys; nil where there is nothing.
func get(v any, path ...string) any {
	for _, key := range path {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	return v
}

// str gives what get gives where it is text, else "".
func str(v any, path ...string) string {
	s, _ := get(v, path...).(string)
	return s
}

// items gives what get gives as a list: a single value is a list of one.
func items(v any, path ...string) []any {
	switch v := get(v, path...).(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		return []any{v}
	}
}

// first gives the first of items, nil where there are none.
func first(v any, path ...string) any {
	if all := items(v, path...); len(all) > 0 {
		return all[0]
	}
	return nil
}

// texts gives items as strings.
func texts(v any, path ...string) []string {
	var all []string
	for _, item := range items(v, path...) {
		all = append(all, fmt.Sprint(item))
	}
	return all
}

// number gives what get gives as a number, -1 where it is none.
func number(v any, path ...string) float64 {
	n, err := strconv.ParseFloat(str(v, path...), 64)
	if err != nil {
		return -1
	}
	return n
}

// walk calls f with every value below v, and the keys that lead there.
func walk(v any, f func(path []string, v any), path ...string) {
	f(path, v)
	switch v := v.(type) {
	case map[string]any:
		for k, item := range v {
			walk(item, f, append(slices.Clone(path), k)...)
		}
	case []any:
		for i, item := range v {
			walk(item, f, append(slices.Clone(path), strconv.Itoa(i))...)
		}
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
