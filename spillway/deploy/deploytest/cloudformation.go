package deploytest

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// changeSet is what a stack could become.
type changeSet struct {
	id         string
	stack      *stack
	create     bool
	body       string
	parameters map[string]string
	resources  map[string]*resource
	changes    []change
	looks      int // that it takes until it is computed
	executed   bool
}

// find finds a stack by its name, or by its id also when it is deleted.
func (a *AWS) find(name string) (*stack, error) {
	for _, s := range slices.Backward(a.stacks) {
		if s.id == name || s.name == name && s.status != "DELETE_COMPLETE" {
			return s, nil
		}
	}
	return nil, invalid("Stack with id %s does not exist", name)
}

func (a *AWS) describeStacks(c call) (any, error) {
	s, err := a.find(c.form.Get("StackName"))
	if err != nil {
		return nil, err
	}
	s.step()
	return el("Stacks", el("member",
		el("StackId", s.id), el("StackName", s.name), el("StackStatus", s.status), el("StackStatusReason", s.reason),
		el("CreationTime", time.Now().UTC().Format(time.RFC3339)), el("EnableTerminationProtection", s.protected),
		each("Parameters", slices.Sorted(maps.Keys(s.parameters)), func(k string) markup {
			return el("ParameterKey", k) + el("ParameterValue", s.parameters[k])
		}),
	)), nil
}

func (a *AWS) describeEvents(c call) (any, error) {
	s, err := a.find(c.form.Get("StackName"))
	if err != nil {
		return nil, err
	}
	newest := slices.Clone(s.events)
	slices.Reverse(newest)
	return each("StackEvents", newest, func(e event) markup {
		return el("EventId", e.id) + el("Timestamp", e.at.UTC().Format(time.RFC3339)) + el("StackName", s.name) + el("StackId", s.id) +
			el("LogicalResourceId", e.logical) + el("PhysicalResourceId", e.physical) + el("ResourceType", e.kind) +
			el("ResourceStatus", e.status) + el("ResourceStatusReason", e.reason)
	}), nil
}

func (a *AWS) listResources(c call) (any, error) {
	s, err := a.find(c.form.Get("StackName"))
	if err != nil {
		return nil, err
	}
	var all []*resource
	for _, id := range slices.Sorted(maps.Keys(s.resources)) {
		all = append(all, s.resources[id])
	}
	return each("StackResourceSummaries", all, func(r *resource) markup {
		return el("LogicalResourceId", r.logical) + el("PhysicalResourceId", r.physical) + el("ResourceType", r.kind) +
			el("ResourceStatus", r.status) + el("ResourceStatusReason", r.reason) + el("LastUpdatedTimestamp", time.Now().UTC().Format(time.RFC3339))
	}), nil
}

func (a *AWS) createChangeSet(c call) (any, error) {
	name, create := c.form.Get("StackName"), c.form.Get("ChangeSetType") == "CREATE"
	s, err := a.find(name)
	switch {
	case create && err == nil && s.status != "REVIEW_IN_PROGRESS":
		return nil, &failure{http.StatusBadRequest, "AlreadyExistsException", "Stack [" + name + "] already exists"}
	case !create && err != nil:
		return nil, err
	case !create && (s.busy() || s.status == "ROLLBACK_COMPLETE" || s.status == "UPDATE_ROLLBACK_FAILED"):
		return nil, invalid("Stack:%s is in %s state and can not be updated.", s.id, s.status)
	case err != nil:
		s = &stack{
			id: fmt.Sprintf("arn:aws:cloudformation:%s:%s:stack/%s/%d", Region, Account, name, len(a.stacks)), name: name,
			resources: map[string]*resource{}, parameters: map[string]string{},
		}
		s.say(nil, "REVIEW_IN_PROGRESS", "User Initiated")
		a.stacks = append(a.stacks, s)
	}
	for _, other := range a.sets {
		if other.stack == s && strings.Contains(other.id, "/"+c.form.Get("ChangeSetName")+"/") {
			return nil, &failure{http.StatusBadRequest, "AlreadyExistsException", "ChangeSet [" + c.form.Get("ChangeSetName") + "] already exists"}
		}
	}
	set := &changeSet{
		id:    fmt.Sprintf("arn:aws:cloudformation:%s:%s:changeSet/%s/%d", Region, Account, c.form.Get("ChangeSetName"), len(a.sets)),
		stack: s, create: create, body: c.form.Get("TemplateBody"), parameters: map[string]string{}, looks: 1,
	}
	if c.form.Get("UsePreviousTemplate") == "true" {
		set.body = s.body
	}
	for i := 1; c.form.Has("Parameters.member." + strconv.Itoa(i) + ".ParameterKey"); i++ {
		p := "Parameters.member." + strconv.Itoa(i) + "."
		set.parameters[c.form.Get(p+"ParameterKey")] = c.form.Get(p + "ParameterValue")
		if c.form.Get(p+"UsePreviousValue") == "true" {
			set.parameters[c.form.Get(p+"ParameterKey")] = s.parameters[c.form.Get(p+"ParameterKey")]
		}
	}
	if set.resources, err = resolved(set.body, set.parameters); err != nil {
		return nil, err
	}
	set.changes = compare(s.resources, set.resources)
	a.sets = append(a.sets, set)
	return el("Id", set.id) + el("StackId", s.id), nil
}

// set finds a change set.
func (a *AWS) set(c call) (*changeSet, error) {
	for _, set := range a.sets {
		if name := c.form.Get("ChangeSetName"); set.id == name || set.stack.name == c.form.Get("StackName") && strings.Contains(set.id, "/"+name+"/") {
			return set, nil
		}
	}
	return nil, &failure{http.StatusNotFound, "ChangeSetNotFound", "ChangeSet [" + c.form.Get("ChangeSetName") + "] does not exist"}
}

func (a *AWS) describeChangeSet(c call) (any, error) {
	set, err := a.set(c)
	if err != nil {
		return nil, err
	}
	status, reason := "CREATE_COMPLETE", ""
	if set.looks--; set.looks >= 0 {
		return el("Status", "CREATE_IN_PROGRESS"), nil
	}
	if set.executed {
		return el("Status", "CREATE_COMPLETE") + el("ExecutionStatus", "EXECUTE_IN_PROGRESS"), nil
	}
	if len(set.changes) == 0 {
		status, reason = "FAILED", "The submitted information didn't contain changes. Submit different information to create a change set."
	}
	return el("Status", status) + el("StatusReason", reason) + each("Changes", set.changes, func(c change) markup {
		details := markup("")
		switch {
		case c.cause != "":
			details = detail("TaskDefinition", "ResourceReference", c.cause)
		case c.action == "Modify" && c.old.property("Image") != c.now.property("Image"):
			details = detail("ContainerDefinitions", "ParameterReference", "ImageUri") + detail("ContainerDefinitions", "DirectModification", "")
		case c.action == "Modify":
			details = detail("Properties", "DirectModification", "")
		}
		return el("Type", "Resource") + el("ResourceChange", el("Action", c.action), el("LogicalResourceId", c.id()),
			el("ResourceType", c.kind()), el("Replacement", c.replacement), el("Details", details))
	}), nil
}

func detail(name, source, cause string) markup {
	return el("member", el("Target", el("Attribute", "Properties"), el("Name", name), el("RequiresRecreation", "Never")),
		el("ChangeSource", source), el("CausingEntity", cause))
}

func (a *AWS) deleteChangeSet(c call) (any, error) {
	set, err := a.set(c)
	if err != nil {
		return nil, err
	}
	a.sets = slices.DeleteFunc(a.sets, func(s *changeSet) bool { return s == set })
	return markup(""), nil
}

// ChangeSets says how many change sets are neither executed nor deleted.
func (a *AWS) ChangeSets() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(slices.DeleteFunc(slices.Clone(a.sets), func(s *changeSet) bool { return s.executed }))
}

func (a *AWS) executeChangeSet(c call) (any, error) {
	set, err := a.set(c)
	if err != nil {
		return nil, err
	}
	if set.stack.busy() || len(set.changes) == 0 || set.executed {
		return nil, &failure{http.StatusBadRequest, "InvalidChangeSetStatus", "ChangeSet cannot be executed in its current status"}
	}
	a.sets = slices.DeleteFunc(a.sets, func(s *changeSet) bool { return s.stack == set.stack && s != set })
	set.executed = true
	a.execute(set)
	return markup(""), nil
}

func (a *AWS) deleteStack(c call) (any, error) {
	s, _ := a.find(c.form.Get("StackName"))
	if s == nil {
		return markup(""), nil // AWS is content with that
	}
	if s.protected {
		return nil, invalid("Stack [%s] cannot be deleted while TerminationProtection is enabled", s.name)
	}
	a.remove(s)
	return markup(""), nil
}

func (a *AWS) cancelUpdate(c call) (any, error) {
	s, err := a.find(c.form.Get("StackName"))
	if err != nil {
		return nil, err
	}
	if s.status != "UPDATE_IN_PROGRESS" {
		return nil, invalid("CancelUpdateStack cannot be called from current stack status")
	}
	a.rollBack(s, "User Initiated")
	return markup(""), nil
}

func (a *AWS) protect(c call) (any, error) {
	s, err := a.find(c.form.Get("StackName"))
	if err != nil {
		return nil, err
	}
	s.protected = c.form.Get("EnableTerminationProtection") == "true"
	return el("StackId", s.id), nil
}
