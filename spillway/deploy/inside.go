package deploy

import (
	"go.yaml.in/yaml/v4"

	"spillway.example/services/local/templates"
)

// importsOf gives the names of the exports that a resolved template imports.
func importsOf(n *yaml.Node) (names []string) {
	if name, argument := templates.Call(n); name == "Fn::ImportValue" && argument.Kind == yaml.ScalarNode {
		return []string{argument.Value}
	}
	for _, c := range n.Content {
		names = append(names, importsOf(c)...)
	}
	return names
}

// exportsOf gives the names that a resolved template exports.
func exportsOf(root *yaml.Node) (names []string) {
	for _, output := range templates.Members(templates.Member(root, "Outputs")) {
		if name := templates.Scalar(templates.Member(output, "Export"), "Name"); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// settingsOf gives the names of the environment variables that a resolved template sets,
// of the tasks' containers and of the functions.
func settingsOf(root *yaml.Node) map[string][]string {
	found := map[string][]string{}
	for _, r := range templates.Members(templates.Member(root, "Resources")) {
		switch templates.Scalar(r, "Type") {
		case "AWS::ECS::TaskDefinition":
			containers := templates.Member(r, "Properties", "ContainerDefinitions")
			if containers == nil {
				continue
			}
			for _, c := range containers.Content {
				for _, list := range []string{"Environment", "Secrets"} {
					if entries := templates.Member(c, list); entries != nil {
						for _, e := range entries.Content {
							found["the task"] = append(found["the task"], templates.Scalar(e, "Name"))
						}
					}
				}
			}
		case "AWS::Lambda::Function":
			for name := range templates.Members(templates.Member(r, "Properties", "Environment", "Variables")) {
				found["the function"] = append(found["the function"], name)
			}
		}
	}
	return found
}
