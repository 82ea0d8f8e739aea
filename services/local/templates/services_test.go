package templates_test

import (
	"slices"
	"strings"
)

// services is what must be true of every service.
func services() []check {
	return []check{
		{
			"a deployment that fails goes back by itself", rollback,
			[]mutation{
				{"service.yaml", "DeploymentCircuitBreaker: {Enable: true, Rollback: true}", "DeploymentCircuitBreaker: {Enable: true, Rollback: false}"},
				{"service.yaml", "Alarms: {Enable: true, Rollback: true, AlarmNames: [!Ref TaskErrors, !Ref TaskLatency]}", "Alarms: {Enable: true, Rollback: true, AlarmNames: []}"},
				{"service.yaml", "AlarmNames: [!Ref TaskErrors", "AlarmNames: [!Ref TaskErors"},
				{"service.yaml", "MinimumHealthyPercent: 100", "MinimumHealthyPercent: 50"},
			},
		},
		{
			"a service scales by CPU and by requests, out faster than in", scaling,
			[]mutation{
				{"service.yaml", "PredefinedMetricType: ALBRequestCountPerTarget", "PredefinedMetricType: ECSServiceAverageMemoryUtilization"},
				{"service.yaml", "ECSServiceAverageCPUUtilizationHighResolution", "ECSServiceAverageCPUUtilization"},
				{"service.yaml", "        ScaleOutCooldown: 20\n        ScaleInCooldown: 300", "        ScaleOutCooldown: 300\n        ScaleInCooldown: 20"},
				{"service.yaml", `"${LoadBalancer}/${TaskTargets.TargetGroupFullName}"`, `"${TaskTargets.TargetGroupFullName}"`},
				{"service.yaml", "ResolutionSeconds: 20", "ResolutionSeconds: 60"},
				{"service.yaml", "      MaxCapacity: !Ref MaxTasks", "      MaxCapacity: 1000"},
				{"service.yaml", "      # No DesiredCount:", "      DesiredCount: 2\n      # No DesiredCount:"},
			},
		},
		{
			"what may be spent has a limit", limited,
			[]mutation{
				{"service.yaml", "      ReservedConcurrentExecutions: !If [Reserved, !Ref ReservedConcurrency, !Ref AWS::NoValue]\n", ""},
				{"data.yaml", "MaxWriteRequestUnits: !Ref MaxWriteUnits", "MaxWriteRequestUnits: -1"},
				{"cost.yaml", "    Type: AWS::Budgets::Budget", "    Type: AWS::Budgets::BudgetsAction"},
				{"observability.yaml", ", RetentionInDays: !Ref LogDays", ""},
				{"edge.yaml", "            ExpirationInDays: !Ref AccessLogDays\n", ""},
			},
		},
		{
			"a container can do no more than it has to", contained,
			[]mutation{
				{"environments/production.yaml", "login: {", "login: {TaskCpu: 256, TaskMemory: 4096, "},
				{"service.yaml", "ReadonlyRootFilesystem: true", "ReadonlyRootFilesystem: false"},
				{"service.yaml", `          User: "65532:65532"`, `          User: "0"`},
				{"service.yaml", "{Drop: [ALL]}", "{Drop: [NET_RAW]}"},
				{"service.yaml", "EnableExecuteCommand: false", "EnableExecuteCommand: true"},
				{"service.yaml", "Command: [CMD, /var/runtime/bootstrap, healthcheck]", "Command: [CMD, curl]"},
				{"service.yaml", "AvailabilityZoneRebalancing: ENABLED", "AvailabilityZoneRebalancing: DISABLED"},
			},
		},
	}
}

func rollback(d *deployment, bad bad) {
	d.eachService(func(_ variant, l live) {
		c := get(l.only("AWS::ECS::Service"), "DeploymentConfiguration")
		for _, what := range []string{"DeploymentCircuitBreaker", "Alarms"} {
			if str(c, what, "Enable") != "true" || str(c, what, "Rollback") != "true" {
				bad("%s: %s does not take a deployment back", l.Name, what)
			}
		}
		alarms := texts(c, "Alarms", "AlarmNames")
		if len(alarms) == 0 {
			bad("%s: no alarm takes a deployment back", l.Name)
		}
		for _, a := range alarms {
			if l.resources[strings.Trim(a, "{}")].Type != "AWS::CloudWatch::Alarm" {
				bad("%s: %s is no alarm of the template", l.Name, a)
			}
		}
		if number(c, "MinimumHealthyPercent") != 100 || number(c, "MaximumPercent") != 200 {
			bad("%s: a deployment takes tasks away before there are others", l.Name)
		}
	})
}

func scaling(d *deployment, bad bad) {
	d.eachService(func(_ variant, l live) {
		service := l.only("AWS::ECS::Service")
		if service["DesiredCount"] != nil {
			bad("%s: a deployment would undo what scaling did: leave DesiredCount out", l.Name)
		}
		target := l.only("AWS::ApplicationAutoScaling::ScalableTarget")
		if !strings.HasSuffix(str(target, "ResourceId"), "/{TaskService.Name}") ||
			str(target, "MinCapacity") != l.values["MinTasks"] || str(target, "MaxCapacity") != l.values["MaxTasks"] {
			bad("%s: scaling has not the service's tasks between MinTasks and MaxTasks", l.Name)
		}
		by := map[string]any{}
		for _, id := range l.ofType("AWS::ApplicationAutoScaling::ScalingPolicy") {
			p := get(l.resources[id].Properties, "TargetTrackingScalingPolicyConfiguration")
			metric := get(p, "PredefinedMetricSpecification")
			by[str(metric, "PredefinedMetricType")] = metric
			out, in := number(p, "ScaleOutCooldown"), number(p, "ScaleInCooldown")
			if out <= 0 || in < 2*out {
				bad("%s: %s scales in after %v s and out after %v", l.Name, id, in, out)
			}
		}
		if by["ECSServiceAverageCPUUtilizationHighResolution"] == nil {
			bad("%s: does not scale by its CPU", l.Name)
		}
		if m := first(service, "Monitoring", "MetricConfigurations"); str(m, "ResolutionSeconds") != "20" || !slices.Contains(texts(m, "MetricNames"), "CPUUtilization") {
			bad("%s: its CPU is not measured every 20 s, which the policy goes by", l.Name)
		}
		if got, want := str(by["ALBRequestCountPerTarget"], "ResourceLabel"), "{LoadBalancer.LoadBalancerFullName}/{TaskTargets.TargetGroupFullName}"; got != want {
			bad("%s: scales by the requests of %q, want %q", l.Name, got, want)
		}
	})
}

func limited(d *deployment, bad bad) {
	for _, v := range d.variants() {
		budget := false
		for _, l := range d.render(v) {
			for id, r := range l.resources {
				switch r.Type {
				case "AWS::Lambda::Function":
					if got, want := str(r.Properties, "ReservedConcurrentExecutions"), l.values["ReservedConcurrency"]; got != want && want != "-1" {
						bad("%s: the function may run %q times at once, want %s", l.Name, got, want)
					}
				case "AWS::DynamoDB::Table":
					if number(r.Properties, "OnDemandThroughput", "MaxReadRequestUnits") < 1 || number(r.Properties, "OnDemandThroughput", "MaxWriteRequestUnits") < 1 {
						bad("%s: %s may be read and written without end", l.template.file, id)
					}
				case "AWS::Logs::LogGroup":
					if number(r.Properties, "RetentionInDays") < 1 {
						bad("%s: %s is kept for ever", l.template.file, id)
					}
				case "AWS::S3::Bucket":
					if number(first(r.Properties, "LifecycleConfiguration", "Rules"), "ExpirationInDays") < 1 {
						bad("%s: %s is kept for ever", l.template.file, id)
					}
				case "AWS::Budgets::Budget":
					budget = len(items(r.Properties, "NotificationsWithSubscribers")) > 0
				}
			}
		}
		if !budget {
			bad("%s: nobody is told of what is spent", v.name)
		}
	}
}

// memory is how much of it Fargate gives a task with so much CPU, in MiB, at least and at most.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
var memory = map[string][2]float64{
	"256": {512, 2048}, "512": {1024, 4096}, "1024": {2048, 8192}, "2048": {4096, 16384}, "4096": {8192, 30720},
}

func contained(d *deployment, bad bad) {
	d.eachService(func(v variant, l live) {
		c, service, task := l.container(), l.only("AWS::ECS::Service"), l.only("AWS::ECS::TaskDefinition")
		if m, limit := number(task, "Memory"), memory[str(task, "Cpu")]; m < limit[0] || m > limit[1] {
			bad("%s: %s: Fargate has no task with %s CPU units and %v MiB", v.name, l.Name, str(task, "Cpu"), m)
		}
		if str(c, "ReadonlyRootFilesystem") != "true" || str(c, "Privileged") == "true" {
			bad("%s: the container may write to its image", l.Name)
		}
		if user, _, _ := strings.Cut(str(c, "User"), ":"); user == "" || user == "0" || user == "root" {
			bad("%s: the container's user is %q", l.Name, user)
		}
		if !slices.Equal(texts(c, "LinuxParameters", "Capabilities", "Drop"), []string{"ALL"}) || len(items(c, "LinuxParameters", "Capabilities", "Add")) > 0 {
			bad("%s: the container has capabilities", l.Name)
		}
		if !slices.Equal(texts(c, "HealthCheck", "Command"), []string{"CMD", "/var/runtime/bootstrap", "healthcheck"}) {
			bad("%s: the container's health is asked by what it has not", l.Name)
		}
		if str(service, "EnableExecuteCommand") != "false" {
			bad("%s: a shell may be opened in a task", l.Name)
		}
		if str(service, "AvailabilityZoneRebalancing") != "ENABLED" {
			bad("%s: tasks stay in one zone after the loss of another", l.Name)
		}
	})
}
