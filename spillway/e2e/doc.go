// Package e2e holds the end-to-end tests: they build the images, bring docker-compose.yml
// up beside whatever else runs, and walk it by both doors. `make e2e` runs them; they
// have the build tag e2e.
package e2e
