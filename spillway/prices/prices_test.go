package prices_test

import (
	"math"
	"strings"
	"testing"

	"spillway.example/spillway/prices"
)

func TestLoad(t *testing.T) {
	t.Parallel()
	table, err := prices.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		item string
		a    prices.Architecture
		want float64
	}{
		{"fargate-vcpu-hour", prices.X86, 0.04048},
		{"fargate-vcpu-hour", prices.ARM, 0.03238},
		{"alb-hour", prices.X86, 0.0225},
		{"alb-hour", prices.ARM, 0.0225},
	} {
		if got := table.Of(c.item, c.a); got != c.want {
			t.Errorf("%s on %s: got %v, want %v", c.item, c.a, got, c.want)
		}
	}
	for _, missing := range []float64{table.Of("no-such-item", prices.ARM), table.Of("fargate-vcpu-hour", "mips")} {
		if !math.IsNaN(missing) {
			t.Errorf("a price that is not there: got %v, want NaN", missing)
		}
	}
	if e, ok := table.Entry("cognito-lite-mau"); !ok || e.Free != 10_000 || e.Status != prices.Recalled {
		t.Errorf("got %+v, %v", e, ok)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	const good = `{item: a, unit: u, region: r, price: 1, status: verified, source: "https://example.com/ (a copy)", retrieved: 2026-11-23}`
	if _, err := prices.Parse([]byte("prices: [" + good + "]")); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct{ old, new, want string }{
		"no item":          {"item: a", `item: ""`, "item is missing"},
		"no unit":          {"unit: u, ", "", "unit is missing"},
		"no region":        {"region: r, ", "", "region is missing"},
		"no price":         {"price: 1, ", "", "must have a price"},
		"x86 alone":        {"price: 1", "x86: 1", "must have a price"},
		"too many prices":  {"price: 1", "price: 1, x86: 1, arm: 1", "must have a price"},
		"price and arm":    {"price: 1", "price: 1, arm: 1", "must have a price"},
		"nothing":          {"price: 1", "price: 0", "a price of 0 is none"},
		"below nothing":    {"price: 1", "x86: 1, arm: -1", "a price of -1 is none"},
		"endless":          {"price: 1", "price: .inf", "is none"},
		"free below zero":  {"price: 1", "price: 1, free: -1", "free is -1"},
		"no status":        {"verified", "guessed", `status is "guessed"`},
		"no source":        {`"https://example.com/ (a copy)"`, `""`, "source is"},
		"a source by name": {`"https://example.com/ (a copy)"`, `vantage.sh`, "source is"},
		"no date":          {"2026-11-23", `""`, "retrieved is"},
		"no such date":     {"2026-11-23", `"2026-13-23"`, "retrieved is"},
		"an unknown field": {"unit: u", "unit: u, colour: red", "colour"},
	} {
		_, err := prices.Parse([]byte("prices: [" + strings.Replace(good, c.old, c.new, 1) + "]"))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", what, err, c.want)
		}
	}
	if _, err := prices.Parse([]byte("prices: [" + good + ", " + good + "]")); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("an item twice: got %v", err)
	}
}
