package templates_test

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

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
