package deploytest

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// arn makes up an ARN.
func arn(service, resource string) string {
	return "arn:aws:" + service + ":" + Region + ":" + Account + ":" + resource
}

// execute has a stack become what a change set says, a step at a time.
func (a *AWS) execute(set *changeSet) {
	s, verb := set.stack, "UPDATE"
	if set.create {
		verb = "CREATE"
	}
	s.back = s.snapshot()
	s.body, s.parameters = set.body, set.parameters
	s.say(nil, verb+"_IN_PROGRESS", "User Initiated")
	changes := slices.Clone(set.changes)
	slices.SortStableFunc(changes, func(x, y change) int { return order(x.kind()) - order(y.kind()) })
	s.steps = nil
	for _, c := range changes {
		if c.action == "Remove" {
			s.steps = append(s.steps, func() {
				s.say(c.old, "DELETE_COMPLETE", "")
			})
			continue
		}
		a.plan(s, c, map[string]string{"Add": "CREATE", "Modify": "UPDATE"}[c.action], verb)
	}
	s.steps = append(s.steps, func() {
		s.back = nil
		s.say(nil, verb+"_COMPLETE", "")
	})
}

// order puts what others refer to first.
func order(kind string) int {
	return slices.Index([]string{"AWS::ECS::TaskDefinition", "AWS::Lambda::Function", "AWS::Lambda::Version", "AWS::Lambda::Alias", "AWS::ECS::Service"}, kind)
}

// plan adds the steps of one resource.
func (a *AWS) plan(s *stack, c change, verb, stackVerb string) {
	r := *c.now
	if c.old != nil {
		r.physical = c.old.physical
	}
	s.steps = append(s.steps, func() {
		s.resources[r.logical] = &r
		s.say(&r, verb+"_IN_PROGRESS", "")
		a.make(s, &r)
	})
	if r.kind != "AWS::ECS::Service" {
		s.steps = append(s.steps, func() { s.say(&r, verb+"_COMPLETE", "") })
		return
	}
	var wait func()
	wait = func() { // as long as the service is not steady
		switch v := a.services[r.physical]; v.step() {
		case "FAILED":
			s.say(&r, verb+"_FAILED", fmt.Sprintf("Resource handler returned message: \"Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'.\" (RequestToken: 0, HandlerErrorCode: %s)", "GeneralServiceException"))
			if stackVerb == "CREATE" {
				a.unmake(s)
				return
			}
			a.rollBack(s, "The following resource(s) failed to update: ["+r.logical+"].")
		case "COMPLETED":
			s.say(&r, verb+"_COMPLETE", "")
		default:
			s.steps = append([]func(){wait}, s.steps...)
		}
	}
	s.steps = append(s.steps, wait)
}

// make makes or changes what a resource stands for.
func (a *AWS) make(s *stack, r *resource) {
	switch r.kind {
	case "AWS::ECS::TaskDefinition":
		r.physical = arn("ecs", fmt.Sprintf("task-definition/%s:%d", s.name, len(a.tasks)+1))
		a.tasks[r.physical] = r.property("Image")
	case "AWS::ECS::Service":
		name := strings.TrimPrefix(s.name, "spillway-")
		environment, which, _ := strings.Cut(name, "-")
		r.physical = arn("ecs", "service/spillway-"+environment+"/"+which)
		v := a.services[r.physical]
		if v == nil {
			v = &service{name: which, desired: 2}
			a.services[r.physical] = v
		}
		for _, t := range s.resources {
			if t.kind == "AWS::ECS::TaskDefinition" {
				v.deploy(t.physical, a.crashing[a.tasks[t.physical]], a.hanging[a.tasks[t.physical]])
			}
		}
	case "AWS::Lambda::Function":
		r.physical = s.name
	case "AWS::Lambda::Version":
		function := s.resources["Function"]
		a.versions[s.name] = append(a.versions[s.name], function.property("ImageUri"))
		r.physical = arn("lambda", fmt.Sprintf("function:%s:%d", s.name, len(a.versions[s.name])))
	case "AWS::Lambda::Alias":
		r.physical = arn("lambda", "function:"+s.name+":live")
		a.aliases[s.name] = len(a.versions[s.name])
	default:
		r.physical = s.name + "-" + r.logical
	}
}

// rollBack has an update taken back, a step at a time.
func (a *AWS) rollBack(s *stack, reason string) {
	s.say(nil, "UPDATE_ROLLBACK_IN_PROGRESS", reason)
	back := s.back
	s.body, s.parameters = back.body, back.parameters
	s.steps = nil
	for _, id := range slices.Sorted(maps.Keys(s.resources)) {
		now, old := s.resources[id], back.resources[id]
		if old == nil || now.is == old.is && now.physical == old.physical && now.status == old.status {
			continue
		}
		s.steps = append(s.steps, func() {
			s.resources[id] = old
			if v := a.services[old.physical]; v != nil {
				v.deploy(back.taskDefinition(), false, false)
				v.step()
			}
			if old.kind == "AWS::Lambda::Version" {
				n, _ := strconv.Atoi(old.physical[strings.LastIndex(old.physical, ":")+1:]) // made that way
				a.aliases[s.name] = n
			}
			s.say(old, "UPDATE_COMPLETE", "")
		})
	}
	s.steps = append(s.steps, func() {
		s.back = nil
		s.say(nil, "UPDATE_ROLLBACK_COMPLETE", "")
	})
}

func (b *snapshot) taskDefinition() string {
	for _, r := range b.resources {
		if r.kind == "AWS::ECS::TaskDefinition" {
			return r.physical
		}
	}
	return ""
}

// unmake has a creation that failed deleted, but for what is to be kept.
func (a *AWS) unmake(s *stack) {
	s.say(nil, "ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create.")
	s.steps = append(a.removals(s), func() { s.say(nil, "ROLLBACK_COMPLETE", "") })
}

// remove has a stack deleted, a step at a time.
func (a *AWS) remove(s *stack) {
	s.say(nil, "DELETE_IN_PROGRESS", "User Initiated")
	s.steps = append(a.removals(s), func() { s.say(nil, "DELETE_COMPLETE", "") })
}

func (a *AWS) removals(s *stack) (steps []func()) {
	for _, id := range slices.Sorted(maps.Keys(s.resources)) {
		r := s.resources[id]
		steps = append(steps, func() {
			if r.keep {
				s.say(r, "DELETE_SKIPPED", "")
				return
			}
			delete(a.services, r.physical)
			s.say(r, "DELETE_COMPLETE", "")
		})
	}
	return steps
}

// SetStatus puts a stack into a state, as if AWS had come to that by itself. failed are
// resources of it that are in the state failedStatus.
func (a *AWS) SetStatus(name, status, reason, failedStatus string, failed ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s, err := a.find(name)
	if err != nil {
		s = &stack{id: arn("cloudformation", "stack/"+name+"/0"), name: name, resources: map[string]*resource{}, parameters: map[string]string{}}
		a.stacks = append(a.stacks, s)
	}
	s.steps = nil
	for _, id := range failed {
		s.say(s.resources[id], failedStatus, "Access Denied")
	}
	s.say(nil, status, reason)
}

// Status gives the status of a stack, empty where there is none.
func (a *AWS) Status(name string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s, err := a.find(name); err == nil {
		return s.status
	}
	return ""
}

// Parameter gives the value of a stack's parameter.
func (a *AWS) Parameter(stack, name string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s, err := a.find(stack); err == nil {
		return s.parameters[name]
	}
	return ""
}
