package deploy

import (
	"slices"
	"time"
)

// Release is an image that a service has come to run steadily.
type Release struct {
	Image string    `json:"image"`
	Verb  string    `json:"verb"` // apply or rollback
	Time  time.Time `json:"time"`
}

// The verbs by which a release comes about.
const (
	verbApply    = "apply"
	verbRollback = "rollback"
)

// Previous gives the image that served before current: the one that a rollback goes to.
// Rolling back twice goes two releases back, and never to an image that was itself
// rolled back from since it was last applied. It is empty where there is none.
func Previous(history []Release, current string) string {
	var served []string // what a rollback may go to, the newest last
	for _, r := range history {
		if r.Verb == verbRollback {
			for len(served) > 0 && served[len(served)-1] != r.Image {
				served = served[:len(served)-1]
			}
		}
		if len(served) == 0 || served[len(served)-1] != r.Image {
			served = append(served, r.Image)
		}
	}
	for _, image := range slices.Backward(served) {
		if image != current {
			return image
		}
	}
	return ""
}
