package conformance

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// SampleUnits returns a small site of the given parts, with tables in the given dialect,
// for testing a sink that has no units of its own. It has no documents (part Site).
func SampleUnits(parts []string, dialect string) (*stage.Plan, []UnitItems) {
	plan := &stage.Plan{Pipeline: "conformance", Workers: 3, Facts: map[string]string{"dialect": dialect, "prefix": "mdl_"}}
	var units []UnitItems
	for _, part := range parts {
		switch part {
		case stage.DB:
			plan.Tables = sampleSinkTables(dialect)
			units = append(units, sampleRows()...)
		case stage.Filedir:
			units = append(units, sampleFiledir()...)
		case stage.Dataroot:
			units = append(units, sampleDataroot()...)
		default:
			continue
		}
		plan.Parts = append(plan.Parts, part)
	}
	for _, u := range units {
		for _, item := range u.Items {
			plan.Bytes += int64(len(item.Content()))
			if item.Entry.Kind == stage.File {
				plan.Files++
			}
		}
	}
	return plan, units
}

// sampleSinkTables returns tables as a sink of the dialect holds them.
func sampleSinkTables(dialect string) []stage.TableInfo {
	native := map[string][2]string{"mysql": {"bigint", "longtext"}, "postgres": {"bigint", "text"}, "sqlite": {"INTEGER", "TEXT"}}[dialect]
	columns := []schema.Column{
		{Name: "id", Native: native[0], Type: schema.Type{Kind: schema.Int, Size: 8}},
		{Name: "value", Native: native[1], Nullable: true, Type: schema.Type{Kind: schema.Text}},
	}
	return []stage.TableInfo{
		{Schema: schema.Table{Name: "config", Dialect: dialect, Columns: columns, PrimaryKey: []string{"id"}}, Rows: 4},
		{Schema: schema.Table{Name: "empty", Dialect: dialect, Columns: slices.Clone(columns), PrimaryKey: []string{"id"}}},
	}
}

func sampleRows() []UnitItems {
	unit := func(id, table string, chunks ...[]byte) UnitItems {
		item := Item{Entry: stage.Entry{Path: stage.DB + "/" + table, Kind: stage.Table}}
		for _, c := range chunks {
			item.Chunks = append(item.Chunks, stage.Chunk{Data: c, Rows: bytes.Count(c, []byte{'\n'})})
		}
		return UnitItems{Unit: stage.Unit{ID: stage.DB + "/" + id, Part: stage.DB, Table: table}, Items: []Item{item}}
	}
	var texts []byte
	for i, s := range odd {
		texts = line(texts, fmt.Sprint(100+i), text(s))
	}
	return []UnitItems{
		unit("config#1", "config", line(nil, "-1", "one"), line(line(nil, "2", rows.Null), "3", "")),
		unit("config#2", "config", texts, line(nil, "1000", strings.Repeat("large ", 200_000))),
		unit("empty", "empty"),
	}
}

// sampleTime has fractional seconds, like real files.
var sampleTime = time.Unix(1_700_000_000, 123_000_000).UTC()

// sampleOwner differs from most users who run tests; some entries have no owner.
var sampleOwner = stage.Owner{Known: true, UID: 33, GID: 34}

func sampleFile(part, path string, content []byte) Item {
	if part == stage.Filedir && path == "" {
		hash := fmt.Sprintf("%x", sha1.Sum(content))
		path = hash[:2] + "/" + hash[2:4] + "/" + hash
	}
	item := Item{
		Entry:  stage.Entry{Path: part + "/" + path, Kind: stage.File, Size: int64(len(content)), Mode: 0o640, ModTime: sampleTime, Owner: sampleOwner},
		Digest: stage.Digest{Bytes: int64(len(content))},
	}
	if part == stage.Filedir {
		item.Digest.SHA1 = fmt.Sprintf("%x", sha1.Sum(content))
	} else {
		item.Digest.SHA256 = fmt.Sprintf("%x", sha256.Sum256(content))
	}
	for c := range slices.Chunk(content, rows.MaxChunk) {
		item.Chunks = append(item.Chunks, stage.Chunk{Data: c})
	}
	return item
}

func sampleFiledir() []UnitItems {
	many := UnitItems{Unit: stage.Unit{ID: "filedir/01", Part: stage.Filedir}}
	for i := range 300 {
		many.Items = append(many.Items, sampleFile(stage.Filedir, "", fmt.Append(nil, "content ", i)))
	}
	return []UnitItems{
		{Unit: stage.Unit{ID: "filedir/00", Part: stage.Filedir}, Items: []Item{
			sampleFile(stage.Filedir, "", nil), sampleFile(stage.Filedir, "", []byte("x")), sampleFile(stage.Filedir, "", random(1, rows.MaxChunk+1000)),
		}},
		many,
		{Unit: stage.Unit{ID: "filedir/02", Part: stage.Filedir}},
	}
}

func sampleDataroot() []UnitItems {
	dir := func(path string) Item {
		return Item{Entry: stage.Entry{Path: stage.Dataroot + "/" + path, Kind: stage.Dir, Mode: 0o750, ModTime: sampleTime, Owner: sampleOwner}}
	}
	return []UnitItems{
		{Unit: stage.Unit{ID: "dataroot/lang", Part: stage.Dataroot}, Items: []Item{
			dir("lang"), dir("lang/de"), sampleFile(stage.Dataroot, "lang/de/moodle.php", []byte("<?php\n")), dir("lang/empty"),
			sampleFile(stage.Dataroot, "lang/de/ein Name mit ü 😀", []byte("x")), sampleFile(stage.Dataroot, "lang/de/nothing", nil),
			sampleFile(stage.Dataroot, "lang/de/large", random(2, rows.MaxChunk+1000)),
		}},
		{Unit: stage.Unit{ID: "dataroot/models", Part: stage.Dataroot}, Items: []Item{
			dir("models"), {Entry: stage.Entry{Path: "dataroot/models/link", Kind: stage.Symlink, Mode: 0o777, ModTime: sampleTime, Target: "../lang/de"}},
		}},
		{Unit: stage.Unit{ID: "dataroot/none", Part: stage.Dataroot}},
	}
}
