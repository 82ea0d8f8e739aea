package cost

import (
	"fmt"
	"io"
	"strings"

	"spillway.example/spillway/prices"
)

// interfaceEndpoints is how many network.yaml has.
const interfaceEndpoints = 6

// rates are the loads of the table, in requests a second.
var rates = []float64{1, 10, 100}

// Markdown writes the tables of deploy/README.md, with what they assume.
func Markdown(w io.Writer, p prices.Table) error {
	var b strings.Builder
	b.WriteString("US dollars a month, us-east-1, at so many requests a second all day; Cognito and the mails it\nsends come on top.\n\n")
	bills(&b, p)
	cognito(&b, p)
	assumptions(&b)
	sources(&b, p)
	_, err := io.WriteString(w, b.String())
	return err
}

// bills is the table by component.
func bills(b *strings.Builder, p prices.Table) {
	var columns [][]Item
	b.WriteString("| |")
	for _, c := range []Compute{Fargate, Lambda} {
		for _, rps := range rates {
			fmt.Fprintf(b, " %s, %.0f/s |", c, rps)
			columns = append(columns, Monthly(p, Assumed(rps), c))
		}
	}
	b.WriteString("\n|---|" + strings.Repeat("---:|", len(columns)) + "\n")
	for row, item := range columns[0] {
		fmt.Fprintf(b, "| %s |", item.Component)
		for _, column := range columns {
			fmt.Fprintf(b, " %s |", dollars(column[row].Dollars))
		}
		b.WriteString("\n")
	}
	b.WriteString("| **Together** |")
	for _, column := range columns {
		fmt.Fprintf(b, " **%s** |", dollars(Total(column)))
	}
	b.WriteString("\n\n")
}

// cognito is the table by people, and the ways out of the network.
func cognito(b *strings.Builder, p prices.Table) {
	people := []float64{10_000, 50_000, 100_000}
	b.WriteString("| Cognito, people active in the month |")
	for _, n := range people {
		fmt.Fprintf(b, " %s |", thousands(n))
	}
	b.WriteString("\n|---|" + strings.Repeat("---:|", len(people)) + "\n")
	for _, plan := range []string{"essentials", "plus"} { // lite does not rotate refresh tokens
		fmt.Fprintf(b, "| plan %s%s |", strings.ToUpper(plan[:1]), plan[1:])
		for _, n := range people {
			fmt.Fprintf(b, " %s |", dollars(Cognito(p, plan, n)))
		}
		b.WriteString("\n")
	}
	b.WriteString("\nThe way out of the network (`Egress`), at 100/s on Fargate:")
	for i, e := range EgressOptions(p, Assumed(100), interfaceEndpoints) {
		if i > 0 {
			b.WriteString(",")
		}
		fmt.Fprintf(b, " `%s` %s", e.Name, dollars(e.Dollars))
	}
	b.WriteString(".\n\n")
}

// assumptions states what the figures stand on.
func assumptions(b *strings.Builder) {
	l := Assumed(1)
	fmt.Fprintf(b, `Assumed: of a hundred requests 30 sign-ins, %.0f of /me, for which login asks register (a function does so by
the load balancer, which is another invocation), a sign-up, and the rest refreshes. A request takes %.0f ms of
a vCPU in a task (Cognito does the hashing) and %.0f ms of a function, most of it waiting; %.0f requests a
connection, %.0f KB each through the load balancer; %.0f read and %.1f write units; %.0f bytes of logs, and %.0f more that
Lambda writes of an invocation; a table of %.0f GB with PITR. ARM; tasks of %.1f vCPU and %.0f GB, at least %.0f of each
service, at most %.0f %% busy; functions of %.0f MB; %.0f zones, %.0f alarms. No free tier but Cognito's, no Savings Plan,
no Spot, no taxes, no WAF, no traffic to the internet, no telemetry but logs. Lambda alone
(MinTasks 0, TaskWeight 0, FunctionWeight 100) still pays for the load balancer.
`,
		100*l.Profiles, 1000*l.CPU, 1000*l.Duration, l.PerConnection, l.Bytes/1024, l.ReadUnits, l.WriteUnits,
		l.LogBytes, l.InvocationLog, l.StoredGB, l.TaskCPU, l.TaskMemory, l.MinTasks, 100*l.CPUTarget, 1024*l.Memory, l.Zones, l.Alarms)
}

// sources says where the prices are from, and which of them nobody has read yet.
func sources(b *strings.Builder, p prices.Table) {
	var recalled []string
	for _, e := range p.Entries() {
		if e.Status == prices.Recalled {
			recalled = append(recalled, e.Item)
		}
	}
	b.WriteString("\nThe prices, each with its source and its day: [prices.yaml](../spillway/prices/prices.yaml).\n")
	if len(recalled) > 0 {
		fmt.Fprintf(b, "Recalled and not yet read at AWS, so check them: %s.\n", strings.Join(recalled, ", "))
	}
}

// dollars gives an amount with cents where they say something.
func dollars(d float64) string {
	switch {
	case d == 0:
		return "0"
	case d < 100:
		return fmt.Sprintf("%.2f", d)
	}
	return thousands(d)
}

// thousands gives a number with a space between its thousands.
func thousands(n float64) string {
	s := fmt.Sprintf("%.0f", n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}
