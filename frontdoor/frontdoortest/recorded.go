package frontdoortest

import (
	"embed"
	"fmt"
	"path"
	"strings"
)

//go:embed events/*.json
var recorded embed.FS

// Recorded gives an event in a door's own shape, as events/README.md lists them with
// where each fact comes from: "alb", "rest", "httpapi", "functionurl", and more. It panics
// where there is none of the name.
func Recorded(name string) []byte {
	b, err := recorded.ReadFile(path.Join("events", name+".json"))
	if err != nil {
		panic(fmt.Sprintf("frontdoortest has no event %q, only %s", name, strings.Join(RecordedNames(), ", ")))
	}
	return b
}

// RecordedNames gives the names of all recorded events.
func RecordedNames() []string {
	files, err := recorded.ReadDir("events")
	if err != nil {
		panic(err) // it is part of the program
	}
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = strings.TrimSuffix(f.Name(), ".json")
	}
	return names
}
