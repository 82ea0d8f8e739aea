package deploy

import (
	"fmt"
	"io"
)

// Output is where the verbs say what happens, a line at a time. On a terminal the last
// line is rewritten as things go on; anywhere else there are only whole lines.
type Output struct {
	W        io.Writer
	Terminal bool

	unfinished bool // the last line is to be rewritten
}

// width is how much of a line that is rewritten fits every terminal.
const width = 79

// Line writes a line that stays.
func (o *Output) Line(format string, args ...any) {
	o.Clear()
	fmt.Fprintf(o.W, format+"\n", args...)
}

// Progress rewrites the last line of a terminal. It says nothing elsewhere.
func (o *Output) Progress(format string, args ...any) {
	if !o.Terminal {
		return
	}
	line := []rune(fmt.Sprintf(format, args...))
	o.Clear()
	fmt.Fprint(o.W, string(line[:min(len(line), width)]))
	o.unfinished = true
}

// Clear takes the line away that was to be rewritten.
func (o *Output) Clear() {
	if o.unfinished {
		fmt.Fprint(o.W, "\r\x1b[K")
		o.unfinished = false
	}
}
