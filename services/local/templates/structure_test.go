package templates_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// structure is what holds the templates together.
func structure() []check {
	return []check{
		{
			"every import has an export of an earlier stack", imports,
			[]mutation{
				{"network.yaml", `Export: {Name: !Sub "spillway-${Environment}-vpc-cidr"}`, ""},
				{"service.yaml", `"spillway-${Environment}-listener"`, `"spillway-${Environment}-listner"`},
				{"stacks.yaml", "  - {name: data, template: data.yaml, protected: true}\n", ""},
			},
		},
		{
			"every parameter is explained, used, and has a value", parameters,
			[]mutation{
				{"service.yaml", "        TargetValue: !Ref CpuTarget", "        TargetValue: 60"},
				{"data.yaml", "    Description: Whether the table refuses to be deleted\n", ""},
				{"environments/staging.yaml", "  DomainName: accounts.staging.example.com\n", ""},
				{"environments/staging.yaml", "MinTasks", "MinTaks"},
				{"environments/staging.yaml", "MinTasks: 1", "MinTasks: -1"},
				{"environments/staging.yaml", "observability:", "observabilty:"},
			},
		},
		{
			"names are within AWS's limits, however long the environment's", names,
			[]mutation{
				{"service.yaml", `Name: !Sub "spillway-${Environment}-${Service}-ecs"`, `Name: !Sub "spillway-${Environment}-${Service}-tasks"`},
				{"service.yaml", `${FunctionTracing}`, "${FunctionTracing}" + strings.Repeat(" and more", 30)},
				{"edge.yaml", `"[a-z][a-z0-9-]{0,9}"`, `"[a-z][a-z0-9-]{0,30}"`},
				{"ci.yaml", "ecr:BatchCheckLayerAvailability, ecr:BatchGetImage, ecr:GetDownloadUrlForLayer]", strings.Repeat("ecr:BatchCheckLayerAvailability, ", 200) + "]"},
			},
		},
		{
			"a stack asks for no more capabilities than it needs", capabilities,
			[]mutation{
				{"stacks.yaml", "service: register, capabilities: [CAPABILITY_IAM]", "service: register"},
				{"stacks.yaml", "template: network.yaml", "template: network.yaml, capabilities: [CAPABILITY_IAM]"},
				{"service.yaml", "      Description: What ECS may do to start a task", "      RoleName: starter\n      Description: What ECS may do to start a task"},
			},
		},
		{
			"every resource is asked for in some variant", reached,
			[]mutation{{"network.yaml", "Nat: !Equals [!Ref Egress, nat]", "Nat: !Equals [!Ref Egress, natt]"}},
		},
	}
}

var unexported = regexp.MustCompile(`\{no export ([^}]*)\}`)

func imports(d *deployment, bad bad) {
	for _, v := range d.variants() {
		for _, l := range d.render(v) {
			walk(l.properties(), func(path []string, v any) {
				text, _ := v.(string)
				for _, found := range unexported.FindAllStringSubmatch(text, -1) {
					bad("%s: %s: no stack before it exports %s", l.template.file, strings.Join(path, "."), found[1])
				}
			})
		}
	}
}

// properties gives the properties of all resources, and the outputs, by their ids.
func (l live) properties() map[string]any {
	all := map[string]any{}
	for id, r := range l.resources {
		all[id] = r.Properties
	}
	for id, o := range l.outputs {
		all["Outputs."+id] = o
	}
	return all
}

func parameters(d *deployment, bad bad) {
	for _, file := range sorted(d.templates) {
		t := d.templates[file]
		used := usedParameters(t)
		for _, name := range sorted(t.parameters) {
			if str(t.parameters[name], "Description") == "" {
				bad("%s: %s has no description", file, name)
			}
			if !used[name] {
				bad("%s: %s is not used", file, name)
			}
		}
		if t.parameters["Environment"] == nil {
			bad("%s: has no parameter Environment", file)
		}
	}
	for _, v := range d.variants() {
		for name, values := range v.values {
			i := slices.IndexFunc(d.stacks, func(s stack) bool { return s.Name == name })
			if i < 0 {
				bad("%s: there is no stack %s", v.name, name)
				continue
			}
			for p := range values {
				if d.templates[d.stacks[i].Template].parameters[p] == nil {
					bad("%s: %s has no parameter %s", v.name, d.stacks[i].Template, p)
				}
			}
		}
		for _, l := range d.render(v) {
			for _, name := range l.missing {
				bad("%s: %s of the stack %s has no value", v.name, name, l.Name)
			}
			for name, value := range l.values {
				if problem := refuse(l.template.parameters[name], value); problem != "" {
					bad("%s: %s.%s: %q %s", v.name, l.Name, name, value, problem)
				}
			}
		}
	}
}

// refuse says why CloudFormation would refuse a value; empty where it would not.
func refuse(parameter any, value string) string {
	if allowed := texts(parameter, "AllowedValues"); len(allowed) > 0 && !slices.Contains(allowed, value) {
		return "is none of the allowed values"
	}
	if p := str(parameter, "AllowedPattern"); p != "" && !regexp.MustCompile("^(?:"+p+")$").MatchString(value) {
		return "does not match " + p
	}
	if high := str(parameter, "MaxLength"); high != "" && float64(len(value)) > number(parameter, "MaxLength") {
		return "is longer than " + high
	}
	if str(parameter, "Type") != "Number" {
		return ""
	}
	n := number(map[string]any{"v": value}, "v")
	if low := str(parameter, "MinValue"); low != "" && n < number(parameter, "MinValue") {
		return "is below " + low
	}
	if high := str(parameter, "MaxValue"); high != "" && n > number(parameter, "MaxValue") {
		return "is above " + high
	}
	return ""
}

// variable is a name in Fn::Sub.
var variable = regexp.MustCompile(`\$\{([^}!]+)\}`)

func usedParameters(t template) map[string]bool {
	used := map[string]bool{}
	for _, section := range []map[string]any{t.conditions, t.resources, t.outputs} {
		walk(section, func(_ []string, v any) {
			if name := str(v, "Ref"); name != "" {
				used[name] = true
			}
			for _, sub := range items(v, "Fn::Sub") {
				for _, found := range variable.FindAllStringSubmatch(fmt.Sprint(sub), -1) {
					used[found[1]] = true
				}
			}
		})
	}
	return used
}

// limits are AWS's, in characters, of the properties that we give.
var limits = map[string]int{
	"AWS::ElasticLoadBalancingV2::LoadBalancer.Name": 32,
	"AWS::ElasticLoadBalancingV2::TargetGroup.Name":  32,
	"AWS::Lambda::Function.FunctionName":             64,
	"AWS::Lambda::Version.Description":               256,
	"AWS::DynamoDB::Table.TableName":                 255,
	"AWS::Cognito::UserPool.UserPoolName":            128,
	"AWS::Cognito::UserPoolClient.ClientName":        128,
	"AWS::SecretsManager::Secret.Name":               512,
	"AWS::ECR::Repository.RepositoryName":            256,
	"AWS::ECS::Cluster.ClusterName":                  255,
	"AWS::ECS::Service.ServiceName":                  255,
	"AWS::ECS::TaskDefinition.Family":                255,
	"AWS::ServiceDiscovery::HttpNamespace.Name":      1024,
	"AWS::SNS::Topic.TopicName":                      256,
	"AWS::Logs::LogGroup.LogGroupName":               512,
	"AWS::CloudWatch::Alarm.AlarmName":               255,
	"AWS::CloudWatch::Dashboard.DashboardName":       255,
	"AWS::KMS::Alias.AliasName":                      256,
	"AWS::WAFv2::WebACL.Name":                        128,
	"AWS::IAM::ManagedPolicy.Description":            1000,
	"AWS::IAM::ManagedPolicy.PolicyDocument":         6144,  // white space does not count
	"AWS::IAM::Role.Policies":                        10240, // inline, together
}

// nameless are properties that look like names and have no limit of their own to keep.
var nameless = []string{"AWS::Route53::RecordSet.Name", "AWS::Lambda::Alias.Name"}

func names(d *deployment, bad bad) {
	isName := regexp.MustCompile(`^(Name|[A-Za-z]+Name|Family)$`)
	for _, l := range d.render(options()) {
		for id, r := range l.resources {
			for property, v := range r.Properties {
				what := r.Type + "." + property
				limit, known := limits[what]
				text, isText := v.(string)
				if !known {
					if isText && isName.MatchString(property) && !strings.HasPrefix(text, "{") && strings.Contains(text, options().name) && !slices.Contains(nameless, what) {
						bad("%s: %s.%s: what is AWS's limit for it? The test does not know", l.template.file, id, property)
					}
					continue
				}
				if !isText {
					body, _ := json.Marshal(v)
					text = string(body)
				}
				if len(text) > limit {
					bad("%s: %s.%s has %d characters, and AWS takes %d: %.80s", l.template.file, id, property, len(text), limit, text)
				}
			}
		}
		if p := str(l.template.parameters["Environment"], "AllowedPattern"); refuse(map[string]any{"AllowedPattern": p}, options().name+"k") == "" {
			bad("%s: Environment may be longer than the names allow", l.template.file)
		}
		if len(l.outputs) > 200 || len(l.resources) > 500 {
			bad("%s: has more than CloudFormation takes", l.template.file)
		}
	}
}

func capabilities(d *deployment, bad bad) {
	for _, l := range d.render(options()) {
		var needs []string
		for _, id := range sorted(l.resources) {
			r := l.resources[id]
			if !strings.HasPrefix(r.Type, "AWS::IAM::") || r.Type == "AWS::IAM::OIDCProvider" {
				continue
			}
			needs = []string{"CAPABILITY_IAM"}
			if r.Properties["RoleName"] != nil && r.Type == "AWS::IAM::Role" || r.Properties["ManagedPolicyName"] != nil {
				bad("%s: %s has a name of its own, which CloudFormation cannot replace", l.template.file, id)
			}
		}
		if !slices.Equal(needs, l.Capabilities) {
			bad("stacks.yaml: %s has the capabilities %v and needs %v", l.Name, l.Capabilities, needs)
		}
	}
}

// reached finds resources that no variant makes, and so no other check sees.
func reached(d *deployment, bad bad) {
	seen := map[string]bool{}
	nat := variant{"nat", map[string]map[string]any{"network": {"Egress": "nat", "Zones": "3"}}}
	for _, v := range append(d.variants(), nat) {
		for _, l := range d.render(v) {
			for id := range l.resources {
				seen[l.template.file+"."+id] = true
			}
		}
	}
	for file, t := range d.templates {
		for id := range t.resources {
			if !seen[file+"."+id] {
				bad("%s: %s is never made", file, id)
			}
		}
	}
}
