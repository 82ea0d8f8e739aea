package deploy

import (
	"fmt"
	"slices"
	"strings"
)

// revisions are the types that never change in place: a new one is made beside the old,
// and nothing is lost.
var revisions = []string{"AWS::ECS::TaskDefinition", "AWS::Lambda::Version"}

// loses says whether a change takes a resource away, with whatever is in it.
func (c Change) loses() bool {
	if slices.Contains(revisions, c.Type) {
		return false
	}
	return c.Action == "Remove" || c.Action == "Modify" && (c.Replacement == "True" || c.Replacement == "Conditional")
}

// sign and meaning say what becomes of the resource.
func (c Change) meaning() (sign, meaning string) {
	switch {
	case c.Action == "Add":
		return "+", "added"
	case c.Action == "Remove" && !c.loses():
		return "-", "removed: an old revision"
	case c.Action == "Remove":
		return "-", "REMOVED"
	case c.Action == "Import":
		return "+", "imported"
	case c.Action == "Dynamic":
		return "~", "known when the stack is changed"
	case c.Replacement != "False" && c.Replacement != "" && !c.loses():
		return "~", "new revision"
	case c.Replacement == "True":
		return "!", "REPLACED: made anew, and the old one deleted"
	case c.Replacement == "Conditional":
		return "?", "modified, or replaced: AWS knows when it changes it"
	}
	return "~", "modified in place"
}

// showChanges writes a stack's changes, a resource a line, and under each why.
func (d *Deployment) showChanges(changes []Change) {
	id, kind := 0, 0
	for _, c := range changes {
		id, kind = max(id, len(c.LogicalID)), max(kind, len(c.Type))
	}
	for _, c := range changes {
		sign, meaning := c.meaning()
		d.Out.Line("  %s %-*s  %-*s  %s", sign, id, c.LogicalID, kind, c.Type, meaning)
		for _, p := range c.Properties {
			d.Out.Line("      %s", p)
		}
	}
}

// String says why a resource changes, for a reader.
func (p PropertyChange) String() string {
	var b strings.Builder
	b.WriteString(p.Path)
	if p.Before != "" || p.After != "" {
		fmt.Fprintf(&b, ": %s → %s", clip(p.Before), clip(p.After))
	}
	if p.Cause != "" {
		fmt.Fprintf(&b, " (by %s)", p.Cause)
	}
	if p.Recreates == "Always" {
		b.WriteString(", which recreates it")
	}
	return b.String()
}

// clip gives as much of a value as a line has room for.
func clip(s string) string {
	const most = 60
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	if s == "" {
		return "nothing"
	}
	return s
}

// guard refuses changes that would lose what a protected stack holds.
func (d *Deployment) guard(s Stack, changes []Change) error {
	if !s.Protected || d.AllowReplacement {
		return nil
	}
	var lost []string
	for _, c := range changes {
		if c.loses() {
			_, meaning := c.meaning()
			lost = append(lost, fmt.Sprintf("  %s (%s) would be %s", c.LogicalID, c.Type, meaning))
		}
	}
	if len(lost) == 0 {
		return nil
	}
	return &Verdict{
		Code: CodeNeedsHand, What: s.FullName + " is protected, and this change would lose what is in it: nothing was changed",
		Hints: append(lost, "if that is what you want, and there is a backup: the same command with -allow-replacement"),
	}
}
