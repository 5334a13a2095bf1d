package sdk_test

import (
	"bytes"
	"context"
	"fmt"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/sdk"
)

// settings are the settings given under with: in a pipeline.
type settings struct {
	Table string `key:"table" required:"true" help:"the table, without its prefix" example:"logstore_standard_log"`
	Value string `key:"value" required:"true" help:"rows with this value in any column are left out"`
}

// filter leaves rows out. Vault calls it from many goroutines at once.
type filter struct {
	sdk.UnimplementedRecordTransform
	settings *settings
}

// Table reports that the rows of the table must pass through Rows.
func (f *filter) Table(ctx context.Context, t sdk.Schema, _ string) (sdk.Mapped, error) {
	m := sdk.Mapped{From: t, Schema: t, Rewrite: t.Name == f.settings.Table}
	if m.Rewrite {
		m.Notes = []sdk.Note{{Path: stage.DB + "/" + t.Name, Text: "rows with the value " + f.settings.Value + " are left out"}}
	}
	return m, ctx.Err()
}

// Rows appends the rows to keep and returns their number.
func (f *filter) Rows(ctx context.Context, _ sdk.Mapped, dst []byte, c sdk.Chunk) (_ []byte, kept int, err error) {
	var cells [][]byte
	for data := c.Data; ; {
		row, rest, ok, err := rows.Next(data)
		if err != nil || !ok {
			return dst, kept, err
		}
		data = rest
		cells = rows.Split(cells, row)
		if f.drops(cells) {
			continue
		}
		dst = append(append(dst, row...), '\n')
		kept++
	}
}

func (f *filter) drops(cells [][]byte) bool {
	for _, cell := range cells {
		if value, err := rows.Unescape(nil, cell); err == nil && bytes.Equal(value, []byte(f.settings.Value)) {
			return true
		}
	}
	return false
}

// A transform that leaves rows out. The run counts them as dropped, in its result and in
// the snapshot, and the proof of a restore does not expect them.
func ExampleRecordStage() {
	plugin := sdk.Plugin{Name: "filter", Version: "1.0.0", Stages: []sdk.Stage{
		sdk.RecordStage("filter", "Leaves rows out.", "Rows with a value are left out.",
			func(_ context.Context, s *settings, _ sdk.Env) (sdk.RecordTransform, error) {
				return &filter{settings: s}, nil
			}),
	}}
	// main calls sdk.Main(plugin)

	f, err := plugin.Stages[0].NewRecord(context.Background(), &settings{Table: "log", Value: "viewed"}, sdk.Env{})
	if err != nil {
		fmt.Println(err)
		return
	}
	table := schema.Table{Name: "log", Columns: []schema.Column{{Name: "id"}, {Name: "action"}}}
	mapped, err := f.Table(context.Background(), table, "")
	if err != nil {
		fmt.Println(err)
		return
	}
	data, kept, err := f.Rows(context.Background(), mapped, nil, sdk.Chunk{Data: []byte("1\tviewed\n2\tcreated\n3\tviewed\n"), Rows: 3})
	fmt.Printf("%q, %d kept, %v\n", data, kept, err)
	// Output: "2\tcreated\n", 1 kept, <nil>
}
