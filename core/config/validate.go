package config

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

type keyError struct {
	key string
	err error
}

func (e *keyError) Error() string { return e.err.Error() }
func (e *keyError) Unwrap() error { return e.err }

// At returns an error about one setting, for use in Validate methods. format and args are
// those of fmt.Errorf. Several errors may be joined with errors.Join.
func At(key, format string, args ...any) error { return &keyError{key, fmt.Errorf(format, args...)} }

// KeyOf returns the key of the setting of an error made with At. ok is false if err was
// not made with At.
func KeyOf(err error) (key string, ok bool) {
	if k, ok := errors.AsType[*keyError](err); ok {
		return k.key, true
	}
	return "", false
}

// Split returns the errors that errors.Join combined, or none if err is nil. To transfer
// the errors of a Validate method to another process, send the KeyOf and Error of each, and
// rebuild them there with At and errors.Join.
func Split(err error) []error {
	many, ok := err.(interface{ Unwrap() []error })
	if !ok {
		if err == nil {
			return nil
		}
		return []error{err}
	}
	var all []error
	for _, e := range many.Unwrap() {
		all = append(all, Split(e)...)
	}
	return all
}

// check calls the Validate methods of the objects in settings, then those of targets. The
// keys of the errors are relative to the outermost object.
func check(targets []any, settings []setting) []error {
	var errs []error
	inside(settings, func(o object) {
		if o.value.Kind() != reflect.Struct { // the process that declared it checks it
			return
		}
		if v, ok := o.value.Addr().Interface().(validator); ok {
			for _, err := range Split(v.Validate()) {
				key, about := KeyOf(err)
				if about {
					key = "." + key
				}
				errs = append(errs, &keyError{o.key + key, fmt.Errorf("%s: %w", o.path, err)})
			}
		}
	})
	for _, t := range targets {
		if v, ok := t.(validator); ok {
			errs = append(errs, Split(v.Validate())...)
		}
	}
	return errs
}

type validator interface{ Validate() error }

// invalid reports an error of Validate without secrets, at its setting or at the nearest
// one around it that is in the file.
func (r *run) invalid(outermost *yaml.Node, err error) {
	at := spot{Position: r.At(outermost)}
	for key, _ := KeyOf(err); key != ""; key = key[:max(0, strings.LastIndexAny(key, ".["))] {
		if s, there := r.at[key]; there {
			at = s
			break
		}
	}
	r.report(Error, at.Position, at.path, r.hidden.Redact(err.Error()), "")
}
