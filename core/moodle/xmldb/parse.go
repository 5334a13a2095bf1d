package xmldb

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// The limits of a file. Core's file has 0.5 MB and 500 tables.
const (
	MaxBytes  = 16 << 20
	maxDepth  = 16
	maxItems  = 1 << 16 // tables, or fields, keys and indexes of one
	maxLength = 1 << 20
)

// Parse reads an install.xml. It rejects entities other than the five predefined ones,
// so nothing expands. Errors give the line.
func Parse(src []byte) ([]Table, error) {
	if len(src) > MaxBytes {
		return nil, fmt.Errorf("%d bytes exceed the limit of %d", len(src), MaxBytes)
	}
	d := xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))))
	d.CharsetReader = singleByte
	p := parser{Decoder: d}
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, p.wrong("%w", withoutLine(err))
		}
		switch t := t.(type) {
		case xml.StartElement:
			if err := p.start(t); err != nil {
				return nil, p.wrong("%w", err)
			}
		case xml.EndElement:
			p.open = p.open[:len(p.open)-1]
		}
	}
	if !p.found {
		return nil, errors.New("no XMLDB element; not an install.xml")
	}
	for i := range p.tables {
		if err := p.tables[i].check(); err != nil {
			return nil, fmt.Errorf("table %s: %w", p.tables[i].Name, err)
		}
	}
	return p.tables, nil
}

// singleByte decodes the two encodings that old files have beside UTF-8: only
// comments differ.
func singleByte(encoding string, r io.Reader) (io.Reader, error) {
	switch strings.ToLower(encoding) {
	case "us-ascii", "iso-8859-1", "latin1", "windows-1252":
	default:
		return nil, fmt.Errorf("unknown encoding %q; save the file as UTF-8", encoding)
	}
	src, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	text := make([]rune, len(src))
	for i, b := range src {
		text[i] = rune(b)
	}
	return strings.NewReader(string(text)), nil
}

// withoutLine returns the message of a syntax error without the line, which the caller
// adds.
func withoutLine(err error) error {
	var syntax *xml.SyntaxError
	if errors.As(err, &syntax) {
		return errors.New(syntax.Msg)
	}
	return err
}

// parser is the state of one Parse.
type parser struct {
	*xml.Decoder
	open   []string // the elements that are open
	found  bool     // XMLDB was
	tables []Table
}

func (p *parser) wrong(format string, args ...any) error {
	line, _ := p.InputPos()
	return fmt.Errorf("line %d: %w", line, fmt.Errorf(format, args...))
}

// start handles the start of an element, and ignores elements that Moodle does not know.
func (p *parser) start(e xml.StartElement) error {
	p.open = append(p.open, e.Name.Local)
	if len(p.open) > maxDepth {
		return fmt.Errorf("elements nested deeper than %d", maxDepth)
	}
	path := strings.Join(p.open, "/")
	if path == "XMLDB" {
		p.found = true
		return nil
	}
	if path == "XMLDB/TABLES/TABLE" {
		name, err := identifier(e, "NAME")
		if err != nil {
			return err
		}
		if len(p.tables) == maxItems {
			return fmt.Errorf("more than %d tables", maxItems)
		}
		p.tables = append(p.tables, Table{Name: name, Comment: attribute(e, "COMMENT")})
		return nil
	}
	within, ok := strings.CutPrefix(path, "XMLDB/TABLES/TABLE/")
	if !ok {
		return nil
	}
	t := &p.tables[len(p.tables)-1]
	if len(t.Fields)+len(t.Keys)+len(t.Indexes) == maxItems {
		return fmt.Errorf("table %s has more than %d fields, keys and indexes", t.Name, maxItems)
	}
	var err error
	switch within {
	case "FIELDS/FIELD":
		err = t.field(e)
	case "KEYS/KEY":
		err = t.key(e)
	case "INDEXES/INDEX":
		err = t.index(e)
	}
	if err != nil {
		return fmt.Errorf("table %s: %w", t.Name, err)
	}
	return nil
}

func attribute(e xml.StartElement, name string) string {
	value, _ := lookup(e, name)
	return value
}

// lookup returns an attribute without surrounding white space.
func lookup(e xml.StartElement, name string) (value string, ok bool) {
	for _, a := range e.Attr {
		if a.Name.Local == name && a.Name.Space == "" {
			return strings.TrimSpace(a.Value), true
		}
	}
	return "", false
}

// identifier returns an attribute that names a table or a column, as Moodle
// creates it: in lower case.
func identifier(e xml.StartElement, name string) (string, error) {
	value := strings.ToLower(attribute(e, name))
	if value == "" {
		return "", fmt.Errorf("element %s without %s", e.Name.Local, name)
	}
	if len(value) > 128 || strings.Trim(value, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
		return "", fmt.Errorf("%s %.40q is not a valid name", name, value)
	}
	return value, nil
}

func yes(e xml.StartElement, name string) bool { return strings.EqualFold(attribute(e, name), "true") }

// count returns an attribute that is a number, 0 for none.
func count(e xml.StartElement, name string) (int, error) {
	text := attribute(e, name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > maxLength {
		return 0, fmt.Errorf("%s %.40q is not a number from 0 to %d", name, text, maxLength)
	}
	return n, nil
}

// names splits a comma-separated list of column names.
func names(text string) []string {
	var all []string
	for name := range strings.SplitSeq(text, ",") {
		if name = strings.ToLower(strings.TrimSpace(name)); name != "" {
			all = append(all, name)
		}
	}
	return all
}
