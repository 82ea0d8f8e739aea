package templates_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// network is who may speak to whom.
func network() []check {
	return []check{
		{
			"every port is closed but those named", ports,
			[]mutation{
				{"network.yaml", "SourceSecurityGroupId: !Ref LoginSecurityGroup, Description: RPC_PORT", "CidrIp: 0.0.0.0/0, Description: RPC_PORT"},
				{"network.yaml", "{IpProtocol: tcp, FromPort: 8081, ToPort: 8081, CidrIp: !Ref VpcCidr", "{IpProtocol: tcp, FromPort: 8000, ToPort: 8081, CidrIp: !Ref VpcCidr"},
				{"network.yaml", "      SecurityGroupEgress:\n        - {IpProtocol: tcp, FromPort: 8080", "      Other:\n        - {IpProtocol: tcp, FromPort: 8080"},
			},
		},
		{
			"the load balancer speaks TLS only, and routes each operation to its service and nothing else", routes,
			[]mutation{
				{"edge.yaml", "ELBSecurityPolicy-TLS13-1-2-Res-2021-06", "ELBSecurityPolicy-2016-08"},
				{"edge.yaml", "        - Type: redirect", "        - Type: forward"},
				{"edge.yaml", "- Type: fixed-response", "- Type: forward"},
				{"service.yaml", "[/register, /register/*, ", "[/register, "},
				{"service.yaml", "[/login*, ", "[/*, "},
				{"service.yaml", "/spillway.profile.v1.ProfileService/*", "/spillway.profile.v2.ProfileService/*"},
				{"service.yaml", "Priority: 200", "Priority: 100"},
				{"service.yaml", "[/register, /register/*, ", "[/register, /register/*, /register/a, /register/b, /register/c, "},
			},
		},
		{
			"the two target groups of a rule have its weights, and take requests whole", targets,
			[]mutation{
				{"service.yaml", "{TargetGroupArn: !Ref FunctionTargets, Weight: !Ref FunctionWeight}", "{TargetGroupArn: !Ref FunctionTargets, Weight: 1}"},
				{"service.yaml", "{Key: lambda.multi_value_headers.enabled, Value: \"true\"}", "{Key: lambda.multi_value_headers.enabled, Value: \"false\"}"},
				{"service.yaml", "HealthCheckPath: /readyz", "HealthCheckPath: /healthz"},
				{"service.yaml", "DependsOn: Rule ", "DependsOn: ScalableTarget "},
				{"service.yaml", "    DependsOn: LoadBalancerInvokes\n", ""},
				{"edge.yaml", `{Key: idle_timeout.timeout_seconds, Value: "60"}`, `{Key: idle_timeout.timeout_seconds, Value: "300"}`},
			},
		},
	}
}

// open are the ports that may be open, all of which are with every option on: group,
// direction, port, and who is at the other end.
var open = []string{
	"{LoadBalancerSecurityGroup} in 443 0.0.0.0/0",
	"{LoadBalancerSecurityGroup} in 80 0.0.0.0/0", // answers with the way to 443
	"{LoadBalancerSecurityGroup} out 8080 10.42.0.0/16",
	"{RegisterSecurityGroup} in 8080 {LoadBalancerSecurityGroup}",
	"{RegisterSecurityGroup} in 8081 {LoginSecurityGroup}",
	"{RegisterSecurityGroup} out 443 0.0.0.0/0",
	"{RegisterSecurityGroup} out 587 0.0.0.0/0", // with MailPort
	"{LoginSecurityGroup} in 8080 {LoadBalancerSecurityGroup}",
	"{LoginSecurityGroup} out 443 0.0.0.0/0",
	"{LoginSecurityGroup} out 587 0.0.0.0/0", // with MailPort
	"{LoginSecurityGroup} out 8081 10.42.0.0/16",
	"{EndpointSecurityGroup} in 443 {RegisterSecurityGroup}", // with endpoints
	"{EndpointSecurityGroup} in 443 {LoginSecurityGroup}",
	"{EndpointSecurityGroup} out 443 127.0.0.1/32",
}

func ports(d *deployment, bad bad) {
	for _, v := range d.variants() {
		found := map[string]bool{}
		for _, l := range d.render(v) {
			for id, r := range l.resources {
				switch {
				case r.Type == "AWS::EC2::SecurityGroup":
				case strings.HasPrefix(r.Type, "AWS::EC2::SecurityGroup"):
					bad("%s: %s: rules stand in their group, where they can be read together", l.template.file, id)
					continue
				default:
					continue
				}
				for direction, key := range map[string]string{"in": "SecurityGroupIngress", "out": "SecurityGroupEgress"} {
					rules := items(r.Properties, key)
					if len(rules) == 0 && direction == "out" {
						bad("%s: %s has no rule for what goes out, and without one all may", l.template.file, id)
					}
					for _, rule := range rules {
						found["{"+id+"} "+direction+" "+port(rule)] = true
					}
				}
			}
		}
		for line := range found {
			if !slices.Contains(open, line) {
				bad("%s: is open and in no list: %s", v.name, line)
			}
		}
		if v.name == options().name {
			for _, line := range open {
				if !found[line] {
					bad("%s: is not open: %s", v.name, line)
				}
			}
		}
	}
}

func port(rule any) string {
	from, to := str(rule, "FromPort"), str(rule, "ToPort")
	if from != to || str(rule, "IpProtocol") != "tcp" {
		from = fmt.Sprintf("%s-%s/%s", from, to, str(rule, "IpProtocol"))
	}
	peer := str(rule, "CidrIp")
	for _, key := range []string{"SourceSecurityGroupId", "DestinationSecurityGroupId", "CidrIpv6", "SourcePrefixListId", "DestinationPrefixListId"} {
		peer += str(rule, key)
	}
	return from + " " + peer
}

func routes(d *deployment, bad bad) {
	operations, err := programOperations()
	if err != nil {
		bad("%v", err)
	}
	for _, v := range d.variants() {
		rules := map[string]string{} // the service, by pattern
		priorities := map[string]string{}
		for _, l := range d.render(v) {
			for id, r := range l.resources {
				switch r.Type {
				case "AWS::ElasticLoadBalancingV2::Listener":
					listener(r.Properties, func(format string, args ...any) {
						bad("%s: %s: %s", l.template.file, id, fmt.Sprintf(format, args...))
					})
				case "AWS::ElasticLoadBalancingV2::ListenerRule":
					p := str(r.Properties, "Priority")
					if other := priorities[p]; other != "" {
						bad("%s: %s has the priority %s of %s", l.Name, id, p, other)
					}
					priorities[p] = l.Name + "." + id
					values := 0
					for _, c := range items(r.Properties, "Conditions") {
						for _, pattern := range texts(c, "PathPatternConfig", "Values") {
							values++
							rules[pattern] = l.Service
						}
					}
					if values == 0 || values > 5 {
						bad("%s: %s has %d paths; a rule of a load balancer takes 1 to 5: give the service a second rule", l.Name, id, values)
					}
				}
			}
		}
		for path, service := range operations {
			if got := takers(rules, path); !slices.Equal(got, nonempty(service)) {
				bad("%s: %s goes to %v and is an operation of %q: see Paths in service.yaml", v.name, path, got, service)
			}
		}
	}
}

func nonempty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// takers gives the services whose rules take a path.
func takers(rules map[string]string, path string) []string {
	services := map[string]bool{}
	for pattern, service := range rules {
		if pathMatches(pattern, path) {
			services[service] = true
		}
	}
	return slices.Sorted(maps.Keys(services))
}

func listener(p map[string]any, bad bad) {
	action := first(p, "DefaultActions")
	switch str(p, "Protocol") {
	case "HTTPS":
		if !strings.HasPrefix(str(p, "SslPolicy"), "ELBSecurityPolicy-TLS13-1-2-") {
			bad("the TLS policy %s is not one of 1.3 and 1.2 alone", str(p, "SslPolicy"))
		}
		if str(action, "Type") != "fixed-response" || str(action, "FixedResponseConfig", "StatusCode") != "404" {
			bad("what no rule takes is not answered 404")
		}
	case "HTTP":
		if str(action, "Type") != "redirect" || str(action, "RedirectConfig", "Protocol") != "HTTPS" {
			bad("HTTP is not sent on to HTTPS")
		}
	default:
		bad("the protocol is %q", str(p, "Protocol"))
	}
}

// frontdoorIdle is for how long frontdoor keeps an idle connection, in seconds
// (frontdoor.Options.IdleTimeout).
const frontdoorIdle = 120

func targets(d *deployment, bad bad) {
	for _, l := range d.render(options()) {
		if lb := l.only("AWS::ElasticLoadBalancingV2::LoadBalancer"); lb != nil {
			if idle := attribute(lb, "LoadBalancerAttributes", "idle_timeout.timeout_seconds"); idle >= frontdoorIdle || idle <= 0 {
				bad("edge.yaml: the load balancer keeps idle connections for %v s, and tasks close them after %d", idle, frontdoorIdle)
			}
		}
		if l.Service == "" {
			continue
		}
		rules := l.ofType("AWS::ElasticLoadBalancingV2::ListenerRule")
		for _, id := range rules {
			groups := first(l.resources[id].Properties, "Actions")
			got := map[string]string{}
			for _, g := range items(groups, "ForwardConfig", "TargetGroups") {
				got[str(g, "TargetGroupArn")] = str(g, "Weight")
			}
			want := map[string]string{"{TaskTargets}": l.values["TaskWeight"], "{FunctionTargets}": l.values["FunctionWeight"]}
			if !maps.Equal(got, want) {
				bad("%s: %s forwards to %v, want %v", l.Name, id, got, want)
			}
		}
		tasks, function := l.resources["TaskTargets"], l.resources["FunctionTargets"]
		if str(tasks.Properties, "TargetType") != "ip" || str(tasks.Properties, "HealthCheckPath") != "/readyz" {
			bad("%s: tasks must be asked for /readyz, which fails while they drain", l.Name)
		}
		if n := attribute(tasks.Properties, "TargetGroupAttributes", "deregistration_delay.timeout_seconds"); n < 15 || n > 60 {
			bad("%s: tasks have %v s to end what they are at: too few, or a deployment waits for nothing", l.Name, n)
		}
		if attributeText(function.Properties, "TargetGroupAttributes", "lambda.multi_value_headers.enabled") != "true" {
			bad("%s: of repeated headers the function would get the last alone", l.Name)
		}
		if function.DependsOn != "LoadBalancerInvokes" {
			bad("%s: the function can only be registered once the load balancer may invoke it", l.Name)
		}
		if service := l.resources["TaskService"]; !slices.Contains(rules, fmt.Sprint(service.DependsOn)) {
			bad("%s: tasks can only be registered once a rule has their target group", l.Name)
		}
	}
}

// attribute gives a number from a list of Key and Value, -1 where it has none.
func attribute(p map[string]any, list, key string) float64 {
	return number(map[string]any{"v": attributeText(p, list, key)}, "v")
}

func attributeText(p map[string]any, list, key string) string {
	for _, a := range items(p, list) {
		if str(a, "Key") == key {
			return str(a, "Value")
		}
	}
	return ""
}
