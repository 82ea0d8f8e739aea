// Package prices has what AWS asks for, as dated data with its sources: prices.yaml. Costs
// are computed from it (package cost), here and by whatever plans capacity.
package prices

import (
	"bytes"
	_ "embed"
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

//go:embed prices.yaml
var data []byte

// Architecture is that of the processor, which some prices depend on.
type Architecture string

// The architectures.
const (
	X86 Architecture = "x86"
	ARM Architecture = "arm"
)

// Status says how a price is known.
type Status string

// The statuses.
const (
	Verified Status = "verified" // read in the source
	Recalled Status = "recalled" // from memory; the source is where to read it
)

// Entry is a price in US dollars for one Unit of an Item.
type Entry struct {
	Item, Unit, Region string
	Price, X86, ARM    *float64 // Price, or one for each architecture
	Free               float64  // so many each month cost nothing
	Status             Status
	Source             string // a page's address, and what there is to say of it
	Retrieved          string // the day it was read or recalled, YYYY-MM-DD
}

// Table is a set of prices of one region.
type Table struct{ entries map[string]Entry }

// Load gives the prices that this program was built with.
func Load() (Table, error) { return Parse(data) }

// Parse reads and checks prices; an error names the item and what is wrong with it.
func Parse(text []byte) (Table, error) {
	var file struct{ Prices []Entry }
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		return Table{}, fmt.Errorf("reading the prices: %w", err)
	}
	table := Table{entries: map[string]Entry{}}
	for _, e := range file.Prices {
		if err := e.check(); err != nil {
			return Table{}, fmt.Errorf("price %q: %w", e.Item, err)
		}
		if _, twice := table.entries[e.Item]; twice {
			return Table{}, fmt.Errorf("price %q: is there twice", e.Item)
		}
		table.entries[e.Item] = e
	}
	return table, nil
}

// Entry gives an item's price as it is kept.
func (t Table) Entry(item string) (Entry, bool) {
	e, ok := t.entries[item]
	return e, ok
}

// Entries gives all of them, by item.
func (t Table) Entries() []Entry {
	return slices.SortedFunc(maps.Values(t.entries), func(a, b Entry) int { return strings.Compare(a.Item, b.Item) })
}

// Of gives what one unit of an item costs, in US dollars. A price that is not there is
// NaN, and so is every sum with it: nobody mistakes it for a small one.
func (t Table) Of(item string, a Architecture) float64 {
	e := t.entries[item]
	for _, price := range []*float64{e.Price, map[Architecture]*float64{X86: e.X86, ARM: e.ARM}[a]} {
		if price != nil {
			return *price
		}
	}
	return math.NaN()
}

// check says what an entry lacks: every figure has a day and a source.
func (e Entry) check() error {
	for _, field := range [][2]string{{"item", e.Item}, {"unit", e.Unit}, {"region", e.Region}} {
		if field[1] == "" {
			return fmt.Errorf("%s is missing", field[0])
		}
	}
	switch one, two := e.Price != nil, e.X86 != nil && e.ARM != nil; {
	case one == two, one && (e.X86 != nil || e.ARM != nil):
		return fmt.Errorf("it must have a price, or one for x86 and one for arm")
	}
	for _, p := range []*float64{e.Price, e.X86, e.ARM} {
		if p != nil && (*p <= 0 || math.IsInf(*p, 0) || math.IsNaN(*p)) {
			return fmt.Errorf("a price of %v is none", *p)
		}
	}
	if e.Free < 0 {
		return fmt.Errorf("free is %v", e.Free)
	}
	if e.Status != Verified && e.Status != Recalled {
		return fmt.Errorf("status is %q, must be verified or recalled", e.Status)
	}
	address, _, _ := strings.Cut(e.Source, " ")
	if u, err := url.Parse(address); err != nil || u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("source is %q, must begin with the address of a page", e.Source)
	}
	if _, err := time.Parse(time.DateOnly, e.Retrieved); err != nil {
		return fmt.Errorf("retrieved is %q, must be a day such as 2026-11-23", e.Retrieved)
	}
	return nil
}
