package deploytest

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// service is an ECS service with a circuit breaker that takes deployments back.
type service struct {
	name     string
	desired  int
	rollouts []*rollout // the newest first
	events   []map[string]any
	stopped  int
	shaken   bool // one of its tasks does not come back
}

type rollout struct {
	taskDefinition, state, reason string
	running, failed               int
	crashes, hangs                bool
}

// threshold is after how many failed tasks the circuit breaker opens: the least there is.
const threshold = 3

// deploy has the service run another task definition.
func (s *service) deploy(taskDefinition string, crashes, hangs bool) {
	if len(s.rollouts) > 0 && s.rollouts[0].taskDefinition == taskDefinition && s.rollouts[0].state == "COMPLETED" {
		return
	}
	s.rollouts = slices.Insert(s.rollouts, 0, &rollout{taskDefinition: taskDefinition, state: "IN_PROGRESS", crashes: crashes, hangs: hangs})
	s.say("has started %d tasks", s.desired)
}

// step has the newest rollout go on, and gives its state.
func (s *service) step() string {
	r := s.rollouts[0]
	switch {
	case r.state != "IN_PROGRESS" || r.hangs:
	case r.crashes:
		r.failed++
		s.stopped++
		s.say("has stopped 1 running tasks: essential container in task exited")
		if r.failed == threshold {
			r.state, r.reason = "FAILED", "ECS deployment circuit breaker: tasks failed to start."
			s.say("deployment failed: tasks failed to start.")
		}
	default:
		r.state, r.running = "COMPLETED", s.desired
		s.rollouts = s.rollouts[:1]
		s.say("has reached a steady state.")
	}
	return r.state
}

func (s *service) say(format string, args ...any) {
	s.events = slices.Insert(s.events, 0, map[string]any{
		"id": fmt.Sprint(s.name, len(s.events)), "createdAt": float64(time.Now().Unix()),
		"message": "(service " + s.name + ") " + fmt.Sprintf(format, args...),
	})
}

// Shake has one of a service's tasks end, and none come in its place.
func (a *AWS) Shake(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.named(name).shaken = true
}

func (a *AWS) named(name string) *service {
	for _, s := range a.services {
		if s.name == name {
			return s
		}
	}
	return nil
}

// Serves gives the image that a service's steady tasks run, empty where it has none.
func (a *AWS) Serves(name string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.named(name)
	if s == nil {
		return ""
	}
	for _, r := range s.rollouts {
		if r.state == "COMPLETED" {
			return a.tasks[r.taskDefinition]
		}
	}
	return ""
}

func (a *AWS) describeServices(c call) (any, error) {
	names, _ := c.body["services"].([]any)
	s := a.services[fmt.Sprint(names...)]
	if s == nil {
		return map[string]any{"services": []any{}}, nil
	}
	running := 0
	var deployments []any
	for i, r := range s.rollouts {
		running += r.running
		status := "ACTIVE"
		if i == 0 {
			status = "PRIMARY"
		}
		deployments = append(deployments, map[string]any{
			"id": "ecs-svc/" + r.taskDefinition, "status": status, "rolloutState": r.state, "rolloutStateReason": r.reason,
			"taskDefinition": r.taskDefinition, "runningCount": r.running, "desiredCount": s.desired, "failedTasks": r.failed,
		})
	}
	if s.shaken {
		running--
	}
	return map[string]any{"services": []any{map[string]any{
		"serviceName": s.name, "desiredCount": s.desired, "runningCount": running, "pendingCount": 0,
		"deployments": deployments, "events": s.events,
	}}}, nil
}

func (a *AWS) describeTaskDefinition(c call) (any, error) {
	image, ok := a.tasks[fmt.Sprint(c.body["taskDefinition"])]
	if !ok {
		return nil, &failure{http.StatusBadRequest, "ClientException", "Unable to describe task definition."}
	}
	return map[string]any{"taskDefinition": map[string]any{"containerDefinitions": []any{map[string]any{"name": "service", "image": image}}}}, nil
}

func (a *AWS) listTasks(c call) (any, error) {
	tasks := []string{}
	for _, s := range a.services {
		for i := range s.stopped {
			if s.name == c.body["serviceName"] {
				tasks = append(tasks, arn("ecs", fmt.Sprintf("task/%d", i)))
			}
		}
	}
	return map[string]any{"taskArns": tasks}, nil
}

func (a *AWS) describeTasks(c call) (any, error) {
	arns, _ := c.body["tasks"].([]any)
	var tasks []any
	for range arns {
		tasks = append(tasks, map[string]any{
			"stoppedReason": "Essential container in task exited", "stopCode": "EssentialContainerExited", "stoppedAt": float64(time.Now().Unix()),
			"containers": []any{map[string]any{"name": "service", "exitCode": 2}},
		})
	}
	return map[string]any{"tasks": tasks}, nil
}
