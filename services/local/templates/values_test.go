package templates_test

import (
	"fmt"
	"slices"
	"strconv"
)

// get goes down maps by their keys; nil where there is nothing.
func get(v any, path ...string) any {
	for _, key := range path {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	return v
}

// section gives what get gives where it is a mapping, else an empty one.
func section(v any, path ...string) map[string]any {
	m, ok := get(v, path...).(map[string]any)
	if !ok {
		m = map[string]any{}
	}
	return m
}

// str gives what get gives where it is text, else "".
func str(v any, path ...string) string {
	s, _ := get(v, path...).(string)
	return s
}

// items gives what get gives as a list: a single value is a list of one.
func items(v any, path ...string) []any {
	switch v := get(v, path...).(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		return []any{v}
	}
}

// first gives the first of items, nil where there are none.
func first(v any, path ...string) any {
	if all := items(v, path...); len(all) > 0 {
		return all[0]
	}
	return nil
}

// texts gives items as strings.
func texts(v any, path ...string) []string {
	var all []string
	for _, item := range items(v, path...) {
		all = append(all, fmt.Sprint(item))
	}
	return all
}

// number gives what get gives as a number, -1 where it is none.
func number(v any, path ...string) float64 {
	n, err := strconv.ParseFloat(str(v, path...), 64)
	if err != nil {
		return -1
	}
	return n
}

// walk calls f with every value below v, and the keys that lead there.
func walk(v any, f func(path []string, v any), path ...string) {
	f(path, v)
	switch v := v.(type) {
	case map[string]any:
		for k, item := range v {
			walk(item, f, append(slices.Clone(path), k)...)
		}
	case []any:
		for i, item := range v {
			walk(item, f, append(slices.Clone(path), strconv.Itoa(i))...)
		}
	}
}
