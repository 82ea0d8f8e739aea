package templates_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// operations is what somebody needs who is called at night.
func operations() []check {
	return []check{
		{
			"every alarm reaches somebody, and has its line in the runbook", alarms,
			[]mutation{
				{"README.md", "| `task-errors` |", "| `task-error` |"},
				{"service.yaml", `AlarmName: !Sub "spillway-${Environment}-${Service}-latency"`, `AlarmName: !Sub "spillway-${Environment}-${Service}-slow"`},
				{"service.yaml", `      AlarmActions: [{Fn::ImportValue: !Sub "spillway-${Environment}-alarm-topic"}]` + "\n", ""},
				{"service.yaml", "MetricName: Errors\n              Dimensions: [{Name: Environment, Value: !Ref Environment}, ", "MetricName: Errors\n              Dimensions: ["},
				{"service.yaml", "      MetricName: Latency\n", "      MetricName: Latencies\n"},
			},
		},
		{
			"the README applies every stack, in order, and has a line for each", byHand,
			[]mutation{
				{"README.md", "   apply data data.yaml\n", ""},
				{"README.md", "   apply network network.yaml\n   apply data data.yaml\n", "   apply data data.yaml\n   apply network network.yaml\n"},
				{"README.md", "| `cluster` |", "| `clusters` |"},
			},
		},
		{
			"the dashboard is well formed", dashboard,
			[]mutation{{"observability.yaml", `{"widgets": [`, `{"widgets": `}, {"observability.yaml", `"TableName", "${Table}"`, `"TableName", "${Tabel}"`}},
		},
	}
}

// ownMetrics are those that the programs make, in the namespace Spillway.
var ownMetrics = []string{"Requests", "Errors", "Latency", "ColdStarts", "Drains", "InFlight", "MailsFailed", "SignUpsFailed", "UncountedSignIns"}

// runbookLine is a row of the runbook: the alarm, then what to do.
var runbookLine = regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\| [^|]{10,} \\| [^|]{10,} \\|$")

func alarms(d *deployment, bad bad) {
	lines := map[string]bool{}
	_, runbook, _ := strings.Cut(d.files["README.md"], "\n## Runbook\n")
	for _, found := range runbookLine.FindAllStringSubmatch(runbook, -1) {
		lines[found[1]] = true
	}
	used := map[string]bool{}
	v := options()
	for _, l := range d.render(v) {
		for _, id := range l.ofType("AWS::CloudWatch::Alarm") {
			p := l.resources[id].Properties
			name := strings.TrimPrefix(str(p, "AlarmName"), "spillway-"+v.name+"-")
			if l.Service != "" {
				name = strings.TrimPrefix(name, l.Service+"-")
			}
			used[name] = true
			if !lines[name] {
				bad("%s: %s: the runbook of README.md has no line for `%s`", l.template.file, id, name)
			}
			if got := texts(p, "AlarmActions"); !slices.Equal(got, []string{"{AlarmTopic}"}) || str(p, "AlarmDescription") == "" {
				bad("%s: %s: tells %v", l.template.file, id, got)
			}
			walk(p, func(_ []string, m any) {
				if str(m, "Namespace") != "Spillway" {
					return
				}
				dimensions := map[string]string{}
				for _, dim := range items(m, "Dimensions") {
					dimensions[str(dim, "Name")] = str(dim, "Value")
				}
				if !slices.Contains(ownMetrics, str(m, "MetricName")) || len(dimensions) != 2 || dimensions["Environment"] != v.name || dimensions["Service"] != l.Service {
					bad("%s: %s: the programs make no %s of %v", l.template.file, id, str(m, "MetricName"), dimensions)
				}
			})
		}
	}
	for name := range lines {
		if !used[name] {
			bad("README.md: the runbook has a line for `%s`, and there is no such alarm", name)
		}
	}
}

func dashboard(d *deployment, bad bad) {
	for _, l := range d.render(options()) {
		for _, id := range l.ofType("AWS::CloudWatch::Dashboard") {
			body := str(l.resources[id].Properties, "DashboardBody")
			var doc struct {
				Widgets []struct{ Properties struct{ Metrics []any } }
			}
			if err := json.Unmarshal([]byte(body), &doc); err != nil {
				bad("%s: %s: %v", l.template.file, id, err)
			}
			for _, w := range doc.Widgets {
				if len(w.Properties.Metrics) == 0 {
					bad("%s: %s has a widget that shows nothing", l.template.file, id)
				}
			}
			for _, found := range unresolved.FindAllStringSubmatch(body, -1) {
				if !d.isResource(found[1]) {
					bad("%s: %s has ${%s}, which is nothing", l.template.file, id, found[1])
				}
			}
		}
	}
}

// unresolved is what is left of a name that only AWS, or nobody, can resolve.
var unresolved = regexp.MustCompile(`\{([A-Z][A-Za-z]+)(?:\.[A-Za-z]+)?\}`)

// isResource says whether some template has a resource of that id.
func (d *deployment) isResource(id string) bool {
	for _, t := range d.templates {
		if t.resources[id] != nil {
			return true
		}
	}
	return false
}

// applied is a line of the README that applies a stack.
var applied = regexp.MustCompile(`(?m)^   apply ([a-z]+) ([a-z]+\.yaml)`)

func byHand(d *deployment, bad bad) {
	readme := d.files["README.md"]
	var want, got []string
	for _, s := range d.stacks {
		if !strings.Contains(readme, "| `"+s.Name+"`") && !strings.Contains(readme, ", `"+s.Name+"` |") {
			bad("README.md: the table of stacks has no %s", s.Name)
		}
		want = append(want, s.Name+" "+s.Template)
	}
	for _, found := range applied.FindAllStringSubmatch(readme, -1) {
		got = append(got, found[1]+" "+found[2])
	}
	if !slices.Equal(got, want) {
		bad("README.md: applies %v, and stacks.yaml has %v", got, want)
	}
}
