package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"unicode/utf8"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/sdk"
)

// source is an sdk.RowSource. ReadRows is called from many goroutines at once.
type source struct {
	sdk.UnimplementedSource
	Config
	f    *os.File
	size int64 // at the time of Plan; data appended later is not read
}

// Plan returns the tables with their structure, and units that can be read independently.
// Here one unit has everything.
func (s *source) Plan(ctx context.Context, r stage.PlanRequest) (*stage.Inventory, error) {
	if err := sdk.RefuseSelection(r, stage.DB); err != nil {
		return nil, err
	}
	info, err := s.f.Stat()
	if err != nil {
		return nil, err
	}
	s.size = info.Size()
	table := schema.Table{
		Name: s.Table,
		Columns: []schema.Column{
			{Name: "id", Type: schema.Type{Kind: schema.Int, Size: 8}},
			{Name: "line", Type: schema.Type{Kind: schema.Text}},
		},
		PrimaryKey: []string{"id"},
	}
	estimate := s.size / 40 // rows
	return &stage.Inventory{
		Tables: []stage.TableInfo{{Schema: table, Rows: estimate, Bytes: s.size}},
		Units:  []stage.Unit{{ID: stage.DB + "/" + s.Table, Part: stage.DB, Table: s.Table, Rows: estimate, Bytes: s.size}},
		Facts:  map[string]string{"engine": "text file"},
	}, ctx.Err()
}

// ReadRows writes the rows of a unit in chunks. It may be called again for the same unit,
// and then writes the same. It returns an error of the writer, as it is or wrapped with %w.
func (s *source) ReadRows(ctx context.Context, _ stage.ReadRequest, w stage.RowWriter) error {
	// The builder cuts chunks where Vault requires it.
	chunks := rows.NewBuilder(func(ctx context.Context, data []byte, n int) error {
		return w.Write(ctx, stage.Chunk{Data: data, Rows: n})
	})
	in := bufio.NewReader(io.NewSectionReader(s.f, 0, s.size))
	for number := int64(1); ; number++ {
		line, err := in.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("line %d of %s: %w", number, s.File, err)
		}
		end := err != nil
		if end && len(line) == 0 {
			break
		}
		if err := s.row(ctx, w, chunks, number, bytes.TrimRight(line, "\r\n")); err != nil {
			return err
		}
		if end {
			break
		}
	}
	return chunks.Flush(ctx)
}

// row adds a line. A line that can't be transferred is reported as a loss, never left out
// silently.
func (s *source) row(ctx context.Context, w stage.RowWriter, chunks *rows.Builder, number int64, line []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(line) == 0 && s.SkipEmpty {
		return nil
	}
	if !utf8.Valid(line) {
		return w.Loss(ctx, stage.Loss{
			Kind: stage.LossRow, Path: stage.DB + "/" + s.Table, Where: fmt.Sprintf("line %d", number), Reason: "not UTF-8", Count: 1,
		})
	}
	chunks.Buf = strconv.AppendInt(chunks.Buf, number, 10)
	key := len(chunks.Row())
	chunks.Buf = rows.AppendText(append(chunks.Buf, '\t'), line)
	return chunks.End(ctx, chunks.Row()[:key])
}

func (s *source) Close(context.Context) error { return s.f.Close() }
