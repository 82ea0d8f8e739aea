package verify

import "time"

// clock gives the time by the wall: the monotonic one, by which Go compares times
// otherwise, stands still while a machine sleeps.
type clock func() time.Time

func (c clock) now() time.Time { return c().Round(0) }

// since gives the time that has passed since then, or by which the clock was turned back.
func (c clock) since(then time.Time) time.Duration { return c.now().Sub(then).Abs() }
