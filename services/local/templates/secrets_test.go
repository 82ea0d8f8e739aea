package templates_test

import (
	"fmt"
	"slices"
	"strings"

	"spillway.example/services/internal/settings"
)

func secrets(d *deployment, bad bad) {
	var secret []string
	for _, row := range settings.Table() {
		if row.Secret {
			secret = append(secret, row.Name)
		}
	}
	d.eachService(func(_ variant, l live) {
		for _, door := range doors {
			byReference := false
			for _, e := range l.environ(door) {
				name, value, _ := strings.Cut(e, "=")
				if slices.Contains(secret, name) {
					bad("%s: the %s has the secret %s in its environment, where everybody sees it who may look at a task or a function", l.Name, door, name)
				}
				if name == "USER_POOL_CLIENT_SECRET_ARN" {
					byReference = value == "{ClientSecret}"
				}
			}
			if !byReference {
				bad("%s: the %s is not told where the client's secret is", l.Name, door)
			}
		}
	})
	for _, file := range sorted(d.templates) {
		t := d.templates[file]
		for name, p := range t.parameters {
			if get(p, "NoEcho") != nil {
				bad("%s: %s is a secret, and a parameter: let it be the ARN of one", file, name)
			}
		}
		if strings.Contains(t.text, "resolve:") {
			bad("%s: a dynamic reference puts the secret where the resource shows it", file)
		}
		for _, section := range []map[string]any{t.resources, t.outputs} {
			walk(section, func(path []string, v any) {
				attribute := fmt.Sprint(get(v, "Fn::GetAtt"))
				if strings.HasSuffix(attribute, ".ClientSecret") && (len(path) != 3 || path[2] != "SecretString") {
					bad("%s: %s shows the client's secret", file, strings.Join(path, "."))
				}
				if len(path) > 0 && path[len(path)-1] == "SecretString" && !strings.HasSuffix(attribute, ".ClientSecret") {
					bad("%s: %s is written down", file, strings.Join(path, "."))
				}
			})
		}
	}
}
