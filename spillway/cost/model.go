// Package cost says what an environment costs in a month, by component, from the prices of
// package prices and assumptions that it states. It is a model of a bill, to compare and to
// plan with; what AWS bills depends on what people do.
package cost

import (
	"math"

	"spillway.example/spillway/prices"
)

// HoursPerMonth is AWS's own month.
const HoursPerMonth = 730.0

const secondsPerMonth = HoursPerMonth * 3600

// Load is what is asked of an environment, and how its requests are. The zero value of a
// field is none of it; [Assumed] has the defaults of the templates.
type Load struct {
	RPS      float64 // requests a second, all day
	Login    float64 // share of the work that is login's; the rest is register's
	Profiles float64 // share of the requests for which login asks register (GET /me)
	CPU      float64 // seconds of one vCPU a request takes in a task
	Duration float64 // seconds that a function is billed for a request, with the wait for Cognito

	PerConnection float64 // requests on one connection to the load balancer
	Bytes         float64 // of a request and its answer, through the load balancer
	ReadUnits     float64 // of DynamoDB, a request
	WriteUnits    float64
	LogBytes      float64 // a request
	InvocationLog float64 // and what Lambda writes of an invocation, in bytes
	StoredGB      float64 // in the table

	Architecture prices.Architecture
	TaskCPU      float64 // vCPUs
	TaskMemory   float64 // GB
	CPUTarget    float64 // of target tracking, 0 to 1
	MinTasks     float64 // of each service
	Memory       float64 // of a function, GB
	Zones        float64
	Alarms       float64
}

// Assumed is the load at so many requests a second on the defaults of deploy/. Of a hundred
// requests 30 are sign-ins, 45 GET /me, 24 refreshes and one a sign-up: a sign-in writes one
// counter (docs/limits.md), a sign-up some twenty units, and a profile is read.
func Assumed(rps float64) Load {
	return Load{
		RPS: rps, Login: 0.7, Profiles: 0.45, CPU: 0.005, Duration: 0.060,
		PerConnection: 10, Bytes: 4096, ReadUnits: 1, WriteUnits: 0.5, LogBytes: 500, InvocationLog: 400, StoredGB: 1,
		Architecture: prices.ARM, TaskCPU: 0.5, TaskMemory: 1, CPUTarget: 0.6, MinTasks: 2,
		Memory: 0.5, Zones: 2, Alarms: 27,
	}
}

// Compute is what serves the requests.
type Compute string

// The ways to serve.
const (
	Fargate Compute = "Fargate"
	Lambda  Compute = "Lambda"
)

// Item is a line of the bill, in US dollars a month.
type Item struct {
	Component string
	Dollars   float64
}

// Monthly gives the bill of a month by component, always the same ones in the same order,
// without Cognito, whose price goes by people ([Cognito]).
func Monthly(p prices.Table, l Load, c Compute) []Item {
	of := func(item string) float64 { return p.Of(item, l.Architecture) }
	requests := l.RPS * secondsPerMonth

	tasks := 0.0
	logged := requests * l.LogBytes / 1e9
	function := 0.0
	if c == Fargate {
		tasks = l.Tasks()
	} else {
		// A function is no part of Service Connect's mesh: it asks register by the load
		// balancer, where that is another invocation.
		invocations := requests * (1 + l.Profiles)
		function = invocations * (of("lambda-request") + l.Duration*l.Memory*of("lambda-gb-second"))
		logged += (invocations*(l.LogBytes+l.InvocationLog) - requests*l.LogBytes) / 1e9
	}
	return []Item{
		{"Load balancer", HoursPerMonth * of("alb-hour")},
		{"its traffic (LCU)", HoursPerMonth * l.lcu(c) * of("alb-lcu-hour")},
		{"Fargate tasks", HoursPerMonth * tasks * (l.TaskCPU*of("fargate-vcpu-hour") + l.TaskMemory*of("fargate-gb-hour"))},
		{"Lambda", function},
		{"DynamoDB", requests*(l.ReadUnits*of("dynamodb-read-unit")+l.WriteUnits*of("dynamodb-write-unit")) +
			l.StoredGB*(of("dynamodb-gb-month")+of("dynamodb-pitr-gb-month"))},
		{"Logs", logged * (of("logs-gb") + of("logs-gb-month"))},
		{"Public IPv4 addresses", HoursPerMonth * (l.Zones + tasks) * of("public-ipv4-hour")},
		{"Alarms, key, secret", l.Alarms*of("alarm-month") + of("kms-key-month") + of("secret-month")},
	}
}

// Total is the sum of a bill.
func Total(items []Item) float64 {
	sum := 0.0
	for _, i := range items {
		sum += i.Dollars
	}
	return sum
}

// Tasks is how many tasks of both services serve the load: what target tracking keeps,
// and never fewer than the minimum.
func (l Load) Tasks() float64 {
	one := l.TaskCPU * l.CPUTarget / l.CPU // requests a second that a task serves
	total := 0.0
	for _, share := range []float64{l.Login, 1 - l.Login} {
		total += max(l.MinTasks, math.Ceil(l.RPS*share/one))
	}
	return total
}

// lcu is how many LCUs the load is: the dearest of connections and bytes. Rules are below
// the ten that cost nothing, and connections that are open are far below 3000 an LCU.
func (l Load) lcu(c Compute) float64 {
	rps, gbPerHour := l.RPS, 1.0
	if c == Lambda {
		rps, gbPerHour = rps*(1+l.Profiles), 0.4
	}
	return max(rps/l.PerConnection/25, rps*l.Bytes*3600/1e9/gbPerHour)
}

// Cognito gives what a month of so many active people costs on a plan: lite, essentials
// or plus.
func Cognito(p prices.Table, plan string, people float64) float64 {
	item := "cognito-" + plan + "-mau"
	entry, _ := p.Entry(item) // an unknown one has a price of NaN
	return max(0, people-entry.Free) * p.Of(item, prices.X86)
}

// Egress is a way out of the network, and what it costs instead of public addresses.
type Egress struct {
	Name    string
	Dollars float64 // a month, at the number of tasks that the load takes
}

// EgressOptions gives the ways out that network.yaml has, without their traffic, which is
// some cents at these loads.
func EgressOptions(p prices.Table, l Load, interfaceEndpoints float64) []Egress {
	of := func(item string) float64 { return p.Of(item, l.Architecture) }
	return []Egress{
		{"public", HoursPerMonth * l.Tasks() * of("public-ipv4-hour")},
		{"endpoints", HoursPerMonth * interfaceEndpoints * l.Zones * of("endpoint-hour")},
		{"nat", HoursPerMonth * (of("nat-hour") + of("public-ipv4-hour"))},
	}
}
