package deploy

import "strings"

// state is what a stack's status means for what may be done to it.
type state int

const (
	absent  state = iota // there is none, or an empty one: it can be created
	settled              // it can be changed
	busy                 // AWS is at it
	unborn               // its creation failed: it can only be deleted
	stuck                // an update could not be taken back: somebody must help
	undead               // its deletion failed: it can only be deleted again
)

// stateOf reads a stack's status. See
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
func stateOf(l *LiveStack) state {
	switch {
	case l == nil, l.Status == "REVIEW_IN_PROGRESS", l.Status == "DELETE_COMPLETE":
		return absent // in review: a change set has been made, and never executed
	case strings.HasSuffix(l.Status, "_IN_PROGRESS"):
		return busy
	case l.Status == "CREATE_FAILED", l.Status == "ROLLBACK_COMPLETE", l.Status == "ROLLBACK_FAILED":
		return unborn
	case l.Status == "UPDATE_ROLLBACK_FAILED", l.Status == "IMPORT_ROLLBACK_FAILED", l.Status == "UPDATE_FAILED":
		return stuck
	case l.Status == "DELETE_FAILED":
		return undead
	}
	return settled
}

// reached says whether a stack that was being changed is now as was asked.
func reached(status string) bool {
	switch status {
	case "CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE", "DELETE_COMPLETE":
		return true
	}
	return false
}
