package xmldb

import (
	"encoding/xml"
	"fmt"
	"strings"
)

// field reads a FIELD.
func (t *Table) field(e xml.StartElement) error {
	name, err := identifier(e, "NAME")
	if err != nil {
		return err
	}
	f := Field{
		Name: name, Type: Type(strings.ToLower(attribute(e, "TYPE"))), NotNull: yes(e, "NOTNULL"), Sequence: yes(e, "SEQUENCE"),
		Comment: attribute(e, "COMMENT"),
	}
	switch f.Type {
	case Int, Number, Float, Char, Datetime:
		// Old files have a length of text and binary (small, medium, big); Moodle ignores it.
		if f.Length, err = count(e, "LENGTH"); err == nil {
			f.Decimals, err = count(e, "DECIMALS")
		}
		if err != nil {
			return fmt.Errorf("field %s: %w", name, err)
		}
		if value, ok := lookup(e, "DEFAULT"); ok && !(f.Type == Char && f.NotNull && value == "") {
			f.Default = &value
		}
	case Text, Binary:
	default:
		return fmt.Errorf("field %s: TYPE %.40q is not an XMLDB type", name, f.Type)
	}
	t.Fields = append(t.Fields, f)
	return nil
}

// key reads a KEY.
func (t *Table) key(e xml.StartElement) error {
	k := Key{
		Name: attribute(e, "NAME"), Type: KeyType(strings.ToLower(attribute(e, "TYPE"))), Fields: names(attribute(e, "FIELDS")),
		RefTable: strings.ToLower(attribute(e, "REFTABLE")), RefFields: names(attribute(e, "REFFIELDS")),
	}
	switch k.Type {
	case Primary, Unique, Foreign, ForeignUnique:
	default:
		return fmt.Errorf("key %.40q: TYPE %.40q is not an XMLDB type", k.Name, k.Type)
	}
	t.Keys = append(t.Keys, k)
	return nil
}

// index reads an INDEX.
func (t *Table) index(e xml.StartElement) error {
	t.Indexes = append(t.Indexes, Index{
		Name: attribute(e, "NAME"), Unique: yes(e, "UNIQUE"), Fields: names(attribute(e, "FIELDS")), Hints: names(attribute(e, "HINTS")),
	})
	return nil
}

// check reports why a table could not be created.
func (t *Table) check() error {
	if len(t.Fields) == 0 {
		return fmt.Errorf("no fields")
	}
	seen := map[string]bool{}
	for _, f := range t.Fields {
		if seen[f.Name] {
			return fmt.Errorf("field %s is defined twice", f.Name)
		}
		seen[f.Name] = true
	}
	of := func(what, name string, fields []string) error {
		if len(fields) == 0 {
			return fmt.Errorf("%s %.40q has no fields", what, name)
		}
		for _, f := range fields {
			if !seen[f] {
				return fmt.Errorf("%s %.40q uses field %.40q, which does not exist", what, name, f)
			}
		}
		return nil
	}
	for _, k := range t.Keys {
		if err := of("key", k.Name, k.Fields); err != nil {
			return err
		}
	}
	for _, x := range t.Indexes {
		if err := of("index", x.Name, x.Fields); err != nil {
			return err
		}
	}
	return nil
}
