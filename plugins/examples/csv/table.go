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
	key  int    // position of the column id; -1 for none
	null string // the field value that means NULL
}

// byteOrderMark is written by spreadsheets at the start of UTF-8 files.
const byteOrderMark = "\xEF\xBB\xBF"

// newReader returns a reader that refuses rows with more or fewer fields than the first.
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

// table makes a table from the first line of a file.
func (s *settings) table(file string, r *csv.Reader) (table, error) {
	t := table{Table: schema.Table{Name: file}, key: -1, null: s.Null}
	if !name.MatchString(file) {
		return t, errors.New("a table name must consist of a-z, 0-9 and _, and begin with a letter; rename the file")
	}
	header, err := r.Read()
	if errors.Is(err, io.EOF) {
		return t, errors.New("the file is empty; the first line must name the columns")
	}
	if err != nil {
		return t, err
	}
	for i, column := range header {
		if !name.MatchString(column) {
			return t, fmt.Errorf("column %d has the name %q; it must consist of a-z, 0-9 and _, and begin with a letter", i+1, column)
		}
		if t.Column(column) != nil {
			return t, fmt.Errorf("two columns have the name %q", column)
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
