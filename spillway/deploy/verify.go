package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Checks is what verify asks of AWS.
type Checks interface {
	// Caller gives the account and ARN of whose credentials these are.
	Caller(ctx context.Context) (account, arn string, err error)
	// Image says why an image cannot be deployed for an architecture, arm64 or x86_64.
	Image(ctx context.Context, image Image, architecture string) error
	// Certificate gives a certificate of ACM; an error around [ErrNotThere] where there is
	// none.
	Certificate(ctx context.Context, arn string) (Certificate, error)
	// Secret gives an error where a secret is not there, or is about to be deleted:
	// one around [ErrNotThere].
	Secret(ctx context.Context, id string) error
	// Denied gives which of these actions somebody may not do to a resource.
	Denied(ctx context.Context, who string, p Permission) ([]string, error)
}

// Certificate is a certificate of ACM.
type Certificate struct {
	Status  string   // ISSUED where it can be used
	Domains []string // such as *.example.com
}

// Errors of [Checks].
var (
	// ErrNotThere is something that is named and does not exist.
	ErrNotThere = errors.New("it is not there")
	// ErrCannotAsk is a check that these credentials may not make.
	ErrCannotAsk = errors.New("these credentials may not ask that")
)

// inspection is one verify.
type inspection struct {
	d        *Deployment
	stacks   []Stack
	live     map[string]*LiveStack // every stack's, by name
	values   map[string][]Value    // by stack's name, where they are complete
	account  string
	caller   string
	findings int
}

// Verify checks what a deployment needs, changes nothing, and says of each thing whether it
// is there. The error is a [Verdict] with [CodeFindings] where something is wrong.
func (d *Deployment) Verify(ctx context.Context) error {
	v := &inspection{d: d, stacks: d.selected(), live: map[string]*LiveStack{}, values: map[string][]Value{}}
	var err error
	if v.account, v.caller, err = d.Cloud.Checks.Caller(ctx); err != nil {
		return fmt.Errorf("asking whose credentials these are: %w", err)
	}
	d.Out.Line("as %s in %s, %s", v.caller, d.Cloud.Region, d.Environment.Name)
	for _, s := range d.Environment.Stacks {
		if v.live[s.Name], err = d.Cloud.Stacks.Stack(ctx, s.FullName); err != nil {
			return fmt.Errorf("%s: reading the stack: %w", s.FullName, err)
		}
	}
	for _, check := range []struct {
		name string
		run  func(context.Context) ([]string, error)
	}{
		{"values", v.parameters},
		{"stacks", v.states},
		{"imports", v.imports},
		{"settings", v.settings},
		{"images", v.images},
		{"certificate", v.certificates},
		{"secrets", v.secrets},
		{"permissions", v.permissions},
	} {
		wrong, err := check.run(ctx)
		switch {
		case errors.Is(err, ErrCannotAsk):
			d.Out.Line("skip   %-12s %v", check.name, err)
		case err != nil:
			return fmt.Errorf("checking %s: %w", check.name, err)
		case len(wrong) == 0:
			d.Out.Line("ok     %s", check.name)
		}
		for _, w := range wrong {
			d.Out.Line("WRONG  %-12s %s", check.name, strings.ReplaceAll(w, "\n", "\n                    "))
		}
		v.findings += len(wrong)
	}
	if v.findings > 0 {
		return &Verdict{Code: CodeFindings, What: fmt.Sprintf("%s: %s to see to before it can be applied", d.Environment.Name, count(v.findings, "thing"))}
	}
	return nil
}

// parameters are there, and what the templates allow.
func (v *inspection) parameters(context.Context) (wrong []string, err error) {
	for _, s := range v.stacks {
		values, err := v.d.Environment.Values(s, v.d.Images, v.live[s.Name])
		if err != nil {
			wrong = append(wrong, strings.Split(err.Error(), "\n")...)
			continue
		}
		v.values[s.Name] = values
		if _, err := s.Template.Body(); err != nil {
			wrong = append(wrong, err.Error())
		}
	}
	return wrong, nil
}

// states are such that apply can go on from them by itself.
func (v *inspection) states(context.Context) (wrong []string, err error) {
	for _, s := range v.stacks {
		live := v.live[s.Name]
		switch stateOf(live) {
		case stuck, undead:
			wrong = append(wrong, fmt.Sprintf("%s is %s: spillway deploy apply says what to do", s.FullName, live.Status))
		case busy:
			v.d.Out.Line("note   %s is %s: apply would follow that first", s.FullName, live.Status)
		}
	}
	return wrong, nil
}

// imports are exported by a stack that comes before, and is there if it is not applied with
// the rest.
func (v *inspection) imports(context.Context) (wrong []string, err error) {
	exported := map[string]Stack{}
	selected := map[string]bool{}
	for _, s := range v.stacks {
		selected[s.Name] = true
	}
	for _, s := range v.d.Environment.Stacks {
		values, _ := v.d.Environment.Values(s, v.d.Images, v.live[s.Name]) // what is missing is said elsewhere
		root := s.Template.Resolve(values, v.d.Cloud.Region)
		for _, name := range importsOf(root) {
			from, ok := exported[name]
			switch {
			case !selected[s.Name]:
			case !ok:
				wrong = append(wrong, fmt.Sprintf("%s: imports %s, which no stack before it exports", s.Name, name))
			case !selected[from.Name] && stateOf(v.live[from.Name]) == absent:
				wrong = append(wrong, fmt.Sprintf("%s: imports %s of %s, which is not there: apply that first", s.Name, name, from.FullName))
			}
		}
		for _, name := range exportsOf(root) {
			exported[name] = s
		}
	}
	return wrong, nil
}

// settings that the templates give are the programs' own, and those that must be are given.
func (v *inspection) settings(context.Context) (wrong []string, err error) {
	if v.d.Settings == nil {
		return nil, nil
	}
	for _, s := range v.stacks {
		if s.Service == "" || v.values[s.Name] == nil {
			continue
		}
		table := v.d.Settings(s.Service)
		for door, given := range settingsOf(s.Template.Resolve(v.values[s.Name], v.d.Cloud.Region)) {
			for _, name := range given {
				if _, ok := table[name]; !ok && !strings.HasPrefix(name, "AWS_") && !strings.HasPrefix(name, "OTEL_") {
					wrong = append(wrong, fmt.Sprintf("%s: %s gets %s, which the program does not read", s.Name, door, name))
				}
			}
			for name, required := range table {
				if required && !slices.Contains(given, name) {
					wrong = append(wrong, fmt.Sprintf("%s: %s does not get %s, which the program requires", s.Name, door, name))
				}
			}
		}
	}
	slices.Sort(wrong)
	return wrong, nil
}
