package deploy

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The parameters that Spillway gives by itself where a template has them.
const (
	paramEnvironment = "Environment" // the environment's name
	paramService     = "Service"     // the service's, in a stack of one
	paramImage       = "ImageUri"    // its image, repository@sha256:digest
)

// Value is what a parameter gets.
type Value struct {
	Name  string
	Value string
	From  string // where the value is from, for a reader
	// Previous keeps the value that the live stack has.
	Previous bool
	Secret   bool // not to be shown
}

// String gives the value for a reader.
func (v Value) String() string {
	if v.Secret {
		return "****"
	}
	return v.Value
}

// Values gives what each parameter of a stack gets: an image from images or, where it
// has none, the one that the live stack runs; everything else from the environment's file
// or the template's default. live is nil where the stack is not there yet. The error names
// every parameter that has no value or a wrong one.
func (e Environment) Values(s Stack, images map[string]string, live *LiveStack) ([]Value, error) {
	given := map[string]string{paramEnvironment: e.Name}
	if s.Service != "" {
		given[paramService] = s.Service
	}
	var all []Value
	var wrong []error
	for _, p := range s.Template.parameters {
		v, ok := s.value(p, given, images, live)
		if !ok {
			err := fmt.Errorf("%s: %s: has no value: set it in environments/%s.yaml", s.Name, p.Name, e.Name)
			if p.Name == paramImage && s.Service != "" {
				err = fmt.Errorf("%s: no image is known: give one with -image %s=REPOSITORY@sha256:DIGEST", s.Name, s.Service)
			}
			wrong = append(wrong, err)
			continue
		}
		if err := p.check(v); err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %s: %w", s.Name, p.Name, err))
		}
		all = append(all, v)
	}
	return all, errors.Join(wrong...)
}

// value finds the value of one parameter.
func (s Stack) value(p Parameter, given, images map[string]string, live *LiveStack) (Value, bool) {
	v := Value{Name: p.Name, Secret: p.NoEcho}
	previous, lives := live.parameter(p.Name)
	file, filed := s.values[p.Name]
	image := p.Name == paramImage && s.Service != ""
	switch {
	case image && images[s.Service] != "":
		v.Value, v.From = images[s.Service], "-image"
	case image && lives:
		v.Value, v.From, v.Previous = previous, "the live stack", true
	case filed:
		v.Value, v.From = string(file), "the environment"
	case given[p.Name] != "":
		v.Value, v.From = given[p.Name], "spillway"
	case p.Default != nil:
		v.Value, v.From = string(*p.Default), "the default"
	case p.NoEcho && lives:
		v.Value, v.From, v.Previous = previous, "the live stack", true
	default:
		return v, false
	}
	return v, true
}

// check holds a value to what the template allows, as CloudFormation would, but before
// anything has been asked of AWS.
func (p Parameter) check(v Value) error {
	if v.Previous {
		return nil // CloudFormation has taken it before, and it may be masked here
	}
	if len(p.AllowedValues) > 0 && !slices.Contains(p.AllowedValues, v.Value) {
		return fmt.Errorf("must be one of %s", strings.Join(p.AllowedValues, ", "))
	}
	if p.AllowedPattern != "" {
		pattern, err := regexp.Compile("^(?:" + p.AllowedPattern + ")$")
		if err == nil && !pattern.MatchString(v.Value) { // what Go's syntax lacks is left to AWS
			return fmt.Errorf("must match %s", p.AllowedPattern)
		}
	}
	if p.Type == "Number" {
		n, err := strconv.ParseFloat(v.Value, 64)
		if err != nil {
			return errors.New("must be a number")
		}
		return within(n, p.MinValue, p.MaxValue, "must be")
	}
	return within(utf8.RuneCountInString(v.Value), p.MinLength, p.MaxLength, "its length must be")
}

func within[N cmp.Ordered](n N, low, high *N, must string) error {
	if low != nil && n < *low {
		return fmt.Errorf("%s at least %v", must, *low)
	}
	if high != nil && n > *high {
		return fmt.Errorf("%s at most %v", must, *high)
	}
	return nil
}
