package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Limits of a declaration from another process. maxFields includes the fields of objects.
const (
	maxFields = 256
	maxText   = 16 << 10 // bytes of one string of a field
	maxOneOf  = 256
)

// Declared holds settings that another process declared. It can be used wherever a
// pointer to a struct with key tags is accepted. The constructor that Dynamic returns
// creates it. It is not safe for concurrent use.
type Declared struct {
	shape    *shape
	values   []reflect.Value // of the shape's parts
	validate func(*Declared) error
	reading  bool
}

func newDeclared(of *shape, validate func(*Declared) error) *Declared {
	d := &Declared{shape: of, validate: validate}
	for _, part := range of.parts {
		d.values = append(d.values, reflect.New(holders[part.Type]).Elem())
	}
	return d
}

// Dynamic returns a constructor for stage.Info.Config from a list of fields as returned
// by Describe. It validates the fields like those of a struct, and also enforces limits,
// as they come from another process; errors contain the name of the field. Unlike in a
// struct, the name of a field does not imply its Place. The constructor is safe for
// concurrent use.
//
// Declared.Validate calls validate, whose errors made with At refer to settings. If
// validate is nil, only the fields are checked.
func Dynamic(fields []Field, validate func(*Declared) error) (func() any, error) {
	count := 0
	of, err := declaredShape(fields, nil, &count)
	if err != nil {
		return nil, err
	}
	return func() any { return newDeclared(of, validate) }, nil
}

// Validate asks the process that declared the settings to check them.
func (d *Declared) Validate() error {
	if d.validate == nil {
		return nil
	}
	return d.validate(d)
}

// SetKeys sets the secrets passphrase and identity, if they are declared, to the keys of
// a repository that is opened for reading.
func (d *Declared) SetKeys(passphrase, identity Secret) {
	d.reading = true
	for name, key := range map[string]Secret{"passphrase": passphrase, "identity": identity} {
		i := slices.IndexFunc(d.shape.parts, func(s setting) bool { return s.Name == name && s.Type == Hidden })
		if i >= 0 {
			d.values[i].Set(reflect.ValueOf(key))
		}
	}
}

// Reading reports whether SetKeys was called. The output of Encode does not include it:
// the caller must transfer it separately and call SetKeys in the other process.
func (d *Declared) Reading() bool { return d.reading }

// holders maps types of settings to the Go types that hold them.
var holders = map[Type]reflect.Type{
	Text:     reflect.TypeFor[string](),
	Number:   reflect.TypeFor[int64](),
	Switch:   reflect.TypeFor[bool](),
	List:     reflect.TypeFor[[]string](),
	Hidden:   reflect.TypeFor[Secret](),
	Bytes:    reflect.TypeFor[Size](),
	Span:     reflect.TypeFor[Duration](),
	Anything: reflect.TypeFor[yaml.Node](),
	Scalar:   reflect.TypeFor[Literal](),
	Scalars:  reflect.TypeFor[[]Literal](),
	Texts:    reflect.TypeFor[map[string]string](),
	Keyring:  reflect.TypeFor[map[string]Secret](),
	Group:    reflect.TypeFor[*Declared](),
	Groups:   reflect.TypeFor[[]*Declared](),
	Named:    reflect.TypeFor[map[string]*Declared](),
}

func (f *Field) bounded() error {
	texts := []string{f.Name, string(f.Type), f.Default, f.Help, f.Example, f.Min, f.Max, f.Place}
	if len(f.OneOf) > maxOneOf {
		return fmt.Errorf("has %d allowed values, the maximum is %d", len(f.OneOf), maxOneOf)
	}
	for _, text := range append(texts, f.OneOf...) {
		if len(text) > maxText {
			return fmt.Errorf("has a text of %s, the maximum is %s", Size(len(text)), Size(maxText))
		}
		if !utf8.ValidString(text) {
			return errors.New("has a text that is not UTF-8")
		}
	}
	return nil
}
