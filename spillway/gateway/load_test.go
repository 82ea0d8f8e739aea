package gateway_test

import (
	"strings"
	"testing"
	"time"

	"spillway.example/spillway/gateway"
)

const small = `
listener:
  address: 127.0.0.1:8080
  rules:
    - priority: 10
      conditions:
        - path_pattern: [/register, /register/*]
        - http_header: {name: x-door, values: [lambda]}
      forward:
        - {target_group: tasks, weight: 3}
        - {target_group: function}
target_groups:
  tasks: {type: http, targets: ["127.0.0.1:9000"], deregistration_delay: 20s}
  function: {type: lambda, targets: ["http://127.0.0.1:9001"], multi_value_headers: true}
`

func TestLoadFillsInDefaults(t *testing.T) {
	t.Parallel()
	c, err := gateway.Load([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	function, tasks := c.TargetGroups["function"], c.TargetGroups["tasks"]
	got := []any{
		c.Admin, c.Listener.IdleTimeout, c.Listener.Default.FixedResponse.StatusCode, *c.Listener.Rules[0].Forward[0].Weight,
		function.MaxInFlight, function.MaxQueue, function.HealthCheck.Path, tasks.MaxInFlight, tasks.DeregistrationDelay,
	}
	want := []any{"127.0.0.1:8089", time.Minute, 404, 3, 1, 1000, "/", 0, 20 * time.Second}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("value %d: got %v, want %v", i, got[i], want[i])
		}
	}
}

func TestLoadTakesJSON(t *testing.T) {
	t.Parallel()
	c, err := gateway.Load([]byte(`{"listener": {"address": ":1", "idle_timeout": "3s"}}`))
	if err != nil || c.Listener.IdleTimeout != 3*time.Second {
		t.Errorf("got %v, %v", c, err)
	}
}

// Every mistake is named at once, by its field.
func TestLoadNamesEveryMistake(t *testing.T) {
	t.Parallel()
	_, err := gateway.Load([]byte(`
listener:
  address: nowhere
  idle_timeout: -1s
  rules:
    - priority: 0
      forward: [{target_group: nobody, weight: 1000}]
    - priority: 7
      conditions: [{path_pattern: [""]}, {http_header: {values: []}}, {path_pattern: [/a], http_header: {name: b, values: [c]}}]
    - priority: 7
      conditions: [{path_pattern: [/]}]
      fixed_response: {status_code: 99}
      forward: [{target_group: web}]
admin: "127.0.0.1:http"
target_groups:
  web: {type: http, targets: [nohost, "h:99999", "h:1", "h:1"], max_in_flight: 2, max_queue: 1, multi_value_headers: true}
  fun: {type: lambda, targets: ["127.0.0.1:9001", "http://h:1/x"], max_in_flight: -1, max_queue: -1, health_check: {path: x, interval: -1s, timeout: -1s, healthy_threshold: -1, unhealthy_threshold: -1}}
  odd: {type: ip, deregistration_delay: -1s}
`))
	if err == nil {
		t.Fatal("no error")
	}
	for _, field := range []string{
		"listener.address", "listener.idle_timeout", "listener.rules[0].priority", "listener.rules[0].conditions",
		"listener.rules[0].forward[0].target_group", "listener.rules[0].forward[0].weight",
		"listener.rules[1].conditions[0].path_pattern[0]", "listener.rules[1].conditions[1].http_header.name",
		"listener.rules[1].conditions[1].http_header.values", "listener.rules[1].conditions[2]", "listener.rules[1]",
		"listener.rules[2].priority", "listener.rules[2]", "listener.rules[2].fixed_response.status_code", "admin",
		"target_groups.web.targets[0]", "target_groups.web.targets[1]", "target_groups.web.targets[3]",
		"target_groups.web.max_in_flight", "target_groups.web.max_queue", "target_groups.web.multi_value_headers",
		"target_groups.fun.targets[0]", "target_groups.fun.targets[1]", "target_groups.fun.max_in_flight", "target_groups.fun.max_queue",
		"target_groups.fun.health_check.path", "target_groups.fun.health_check.interval", "target_groups.fun.health_check.timeout",
		"target_groups.fun.health_check.healthy_threshold", "target_groups.fun.health_check.unhealthy_threshold",
		"target_groups.odd.type", "target_groups.odd.deregistration_delay",
	} {
		if !strings.Contains("\n"+err.Error(), "\n"+field+": ") {
			t.Errorf("%s is not named in\n%v", field, err)
		}
	}
}

func TestLoadNamesUnknownFields(t *testing.T) {
	t.Parallel()
	_, err := gateway.Load([]byte("listener: {address: ':1', addr: x}\ntarget_group: {}\n"))
	if err == nil || !strings.Contains(err.Error(), "addr") || !strings.Contains(err.Error(), "target_group ") {
		t.Errorf("got %v, want both unknown fields named", err)
	}
}
