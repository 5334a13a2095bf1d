package main

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/lmsvault/vault/core/schema"
)

// table is the structure of a file.
type table struct {
	schema.Table
	key  int    // position of the column id, -1 for none
	null string // the field that stands for NULL
}

// byteOrderMark is what spreadsheets put before UTF-8.
const byteOrderMark = "\xEF\xBB\xBF"

// newReader makes a reader that refuses rows of more or fewer fields than the first.
func newReader(file io.Reader) (*csv.Reader, error) {
	in := bufio.NewReaderSize(file, 1<<16)
	begin, err := in.Peek(len(byteOrderMark))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if string(begin) == byteOrderMark {
		if _, err := in.Discard(len(byteOrderMark)); err != nil {
			return nil, err
		}
	}
	r := csv.NewReader(in)
	r.ReuseRecord = true
	return r, nil
}

// table makes the table of a file from its first line.
func (s *settings) table(file string, r *csv.Reader) (table, error) {
	t := table{Table: schema.Table{Name: file}, key: -1, null: s.Null}
	if !name.MatchString(file) {
		return t, errors.New("a table's name begins with a letter and is of a-z, 0-9 and _: rename the file")
	}
	header, err := r.Read()
	if errors.Is(err, io.EOF) {
		return t, errors.New("the file is empty: its first line must name the columns")
	}
	if err != nil {
		return t, err
	}
	for i, column := range header {
		if !name.MatchString(column) {
			return t, fmt.Errorf("column %d is called %q: a column's name begins with a letter and is of a-z, 0-9 and _", i+1, column)
		}
		if t.Column(column) != nil {
			return t, fmt.Errorf("two columns are called %q", column)
		}
		c := schema.Column{Name: column, Nullable: true, Type: schema.Type{Kind: schema.Text}}
		if column == "id" || slices.Contains(s.Integers, file+"."+column) {
			c.Type = schema.Type{Kind: schema.Int, Size: 8}
		}
		if column == "id" {
			c.Nullable, t.PrimaryKey, t.key = false, []string{column}, i
		}
		t.Columns = append(t.Columns, c)
	}
	return t, nil
}
