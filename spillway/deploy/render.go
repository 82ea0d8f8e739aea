package deploy

import (
	"bytes"
	"context"
	"fmt"

	"go.yaml.in/yaml/v4"
)

// Render writes each stack's parameters and, with these in it, its template, as YAML
// documents. Secret values are masked. It asks AWS only for what a service runs now, and
// where offline nothing.
func (d *Deployment) Render(ctx context.Context, offline bool) error {
	for _, s := range d.selected() {
		var live *LiveStack
		if !offline && s.Service != "" && d.Images[s.Service] == "" {
			var err error
			if live, err = d.Cloud.Stacks.Stack(ctx, s.FullName); err != nil {
				return fmt.Errorf("%s: reading the stack: %w", s.FullName, err)
			}
		}
		values, err := d.Environment.Values(s, d.Images, live)
		if err != nil {
			return err
		}
		d.Out.Line("---\n# %s, from %s", s.FullName, s.Template.File)
		for _, v := range values {
			d.Out.Line("#   %s: %s (%s)", v.Name, v, v.From)
		}
		var text bytes.Buffer
		w := yaml.NewEncoder(&text)
		w.SetIndent(2)
		if err := w.Encode(s.Template.Resolve(values, d.Cloud.Region)); err != nil {
			return fmt.Errorf("%s: %w", s.FullName, err)
		}
		d.Out.Line("%s", bytes.TrimSpace(text.Bytes()))
	}
	return nil
}
