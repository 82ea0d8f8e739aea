package cost_test

import (
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"spillway.example/spillway/cost"
	"spillway.example/spillway/prices"
)

func table(t *testing.T) prices.Table {
	t.Helper()
	p, err := prices.Load()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestMonthly compares with bills reckoned by hand.
func TestMonthly(t *testing.T) {
	t.Parallel()
	p := table(t)
	small := cost.Assumed(10)
	small.TaskCPU, small.TaskMemory, small.MinTasks = 0.25, 0.5, 0.5 // one task in all, as far as the minimum goes
	small.CPU = 0
	for what, c := range map[string]struct {
		load    cost.Load
		compute cost.Compute
		line    string
		want    float64
	}{
		"a quarter of an ARM vCPU for 730 hours": {small, cost.Fargate, "Fargate tasks", 730 * (0.25*0.03238 + 0.5*0.00356)},
		"four tasks on x86": {func() cost.Load { l := cost.Assumed(1); l.Architecture = prices.X86; return l }(), cost.Fargate,
			"Fargate tasks", 4 * 730 * (0.5*0.04048 + 0.004445)},
		"26.28 million requests, and 45 in 100 twice": {cost.Assumed(10), cost.Lambda, "Lambda", 38.106e6 * (2e-7 + 0.03*1.33334e-5)},
		"no function beside tasks":                    {cost.Assumed(10), cost.Fargate, "Lambda", 0},
		"no tasks beside a function":                  {cost.Assumed(10), cost.Lambda, "Fargate tasks", 0},
		"the load balancer":                           {cost.Assumed(10), cost.Fargate, "Load balancer", 16.425},
		"1.47 LCUs of bytes":                          {cost.Assumed(100), cost.Fargate, "its traffic (LCU)", 730 * 0.008 * 1.474560},
		"5.35 LCUs, since functions count more":       {cost.Assumed(100), cost.Lambda, "its traffic (LCU)", 730 * 0.008 * 3.686400 * 1.45},
		"4 LCUs of connections": {func() cost.Load { l := cost.Assumed(100); l.PerConnection = 1; return l }(), cost.Fargate,
			"its traffic (LCU)", 730 * 0.008 * 4},
		"addresses of two zones and four tasks": {cost.Assumed(1), cost.Fargate, "Public IPv4 addresses", 6 * 3.65},
		"262.8 million requests to the table":   {cost.Assumed(100), cost.Fargate, "DynamoDB", 262.8*0.125 + 262.8*0.5*0.625 + 0.45},
	} {
		got := math.NaN()
		for _, item := range cost.Monthly(p, c.load, c.compute) {
			if item.Component == c.line {
				got = item.Dollars
			}
		}
		if math.IsNaN(got) || math.Abs(got-c.want) > 0.01 {
			t.Errorf("%s: got %v, want %v", what, got, c.want)
		}
	}
}

// TestMonthlyGrows: more requests never cost less, and no line is missing a price.
func TestMonthlyGrows(t *testing.T) {
	t.Parallel()
	p := table(t)
	rapid.Check(t, func(t *rapid.T) {
		less := rapid.Float64Range(0, 1e4).Draw(t, "rps")
		more := less + rapid.Float64Range(0, 1e4).Draw(t, "more")
		for _, c := range []cost.Compute{cost.Fargate, cost.Lambda} {
			a, b := cost.Monthly(p, cost.Assumed(less), c), cost.Monthly(p, cost.Assumed(more), c)
			for i := range a {
				if !(a[i].Dollars >= 0) || b[i].Dollars < a[i].Dollars || a[i].Component != b[i].Component {
					t.Fatalf("%s at %v/s and %v/s: %+v, %+v", c, less, more, a[i], b[i])
				}
			}
		}
	})
}

func TestTasks(t *testing.T) {
	t.Parallel()
	for rps, want := range map[float64]float64{0: 4, 100: 4, 171: 4, 172: 5, 1000: 18} {
		if got := cost.Assumed(rps).Tasks(); got != want {
			t.Errorf("%v/s: got %v tasks, want %v", rps, got, want)
		}
	}
}

func TestCognito(t *testing.T) {
	t.Parallel()
	p := table(t)
	for _, c := range []struct {
		plan         string
		people, want float64
	}{{"lite", 0, 0}, {"lite", 10_000, 0}, {"lite", 10_001, 0.0055}, {"essentials", 100_000, 1350}, {"plus", 100, 2}} {
		if got := cost.Cognito(p, c.plan, c.people); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%v people on %s: got %v, want %v", c.people, c.plan, got, c.want)
		}
	}
	if got := cost.Cognito(p, "gold", 1); !math.IsNaN(got) {
		t.Errorf("a plan that there is not costs %v", got)
	}
}

func TestMarkdown(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if err := cost.Markdown(&b, table(t)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| Fargate, 1/s |", "| Lambda, 100/s |", "| **Together** |", "| plan Essentials | 0 |", "Assumed: of a hundred requests", "cognito-lite-mau"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("there is no %q in:\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "NaN") || strings.Contains(b.String(), "Inf") {
		t.Errorf("a price is missing:\n%s", b.String())
	}
	// What a person has written there must agree.
	readme, err := os.ReadFile("../../deploy/README.md")
	if err != nil {
		t.Fatal(err)
	}
	three := cost.Assumed(1)
	three.Zones = 3
	for want, got := range map[string]float64{
		"| `public` | $3.65 for each": 730 * table(t).Of("public-ipv4-hour", prices.ARM),
		"$88 in two zones":            cost.EgressOptions(table(t), cost.Assumed(1), 6)[1].Dollars,
		"$131 in three":               cost.EgressOptions(table(t), three, 6)[1].Dollars,
		"| `nat` | $36.50":            cost.EgressOptions(table(t), cost.Assumed(1), 6)[2].Dollars,
		"the key ($1 a month)":        table(t).Of("kms-key-month", prices.ARM),
		"the secret ($0.40)":          table(t).Of("secret-month", prices.ARM),
	} {
		figure := regexp.MustCompile(`\$([0-9.]+)`).FindStringSubmatch(want)[1]
		if !strings.Contains(string(readme), want) || figure != strconv.FormatFloat(got, 'f', len(strings.TrimLeft(strings.TrimLeft(figure, "0123456789"), ".")), 64) {
			t.Errorf("deploy/README.md says %q (%v), and the prices %v", want, strings.Contains(string(readme), want), got)
		}
	}
	if !strings.Contains(b.String(), "[prices.yaml](../spillway/prices/prices.yaml)") {
		t.Error("the sources are not linked")
	}
}
