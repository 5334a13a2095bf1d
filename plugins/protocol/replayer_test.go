package protocol

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/stage"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// diary records the calls of a FileWriter.
type diary struct {
	lines []string
	fail  error
}

func (d *diary) note(format string, args ...any) error {
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
	return d.fail
}

func (d *diary) Open(_ context.Context, e stage.Entry) error { return d.note("open %s", e.Path) }
func (d *diary) Write(_ context.Context, data []byte) error {
	return d.note("write %d bytes", len(data))
}
func (d *diary) Close(_ context.Context, g stage.Digest) error { return d.note("close %d", g.Bytes) }
func (d *diary) Same(_ context.Context, e stage.Entry) error   { return d.note("same %s", e.Path) }
func (d *diary) Drop(context.Context) error                    { return d.note("drop") }
func (d *diary) Loss(_ context.Context, l stage.Loss) error    { return d.note("loss %s", l.Path) }

// rowDiary records the calls of a RowWriter.
type rowDiary struct{ *diary }

func (d rowDiary) Write(_ context.Context, c stage.Chunk) error {
	return d.note("write %d bytes %d rows", len(c.Data), c.Rows)
}

func pass(u stage.Unit, d *diary, events ...*pb.UnitEvent) error {
	p := &Replayer{Unit: u, To: d, Same: func(e stage.Entry) bool { return e.Fingerprint == "known" }}
	if u.Part == stage.DB {
		p = &Replayer{Unit: u, Rows: rowDiary{d}}
	}
	var t Tally
	for _, e := range events {
		if err := p.Event(context.Background(), e, &t); err != nil {
			return err
		}
	}
	return p.Event(context.Background(), &pb.UnitEvent{End: t.End()}, &t)
}

var (
	tableUnit = stage.Unit{ID: "db/t", Part: stage.DB, Table: "t"}
	fileUnit  = stage.Unit{ID: "dataroot/x", Part: stage.Dataroot}
)

func openFile(path string) *pb.UnitEvent {
	return &pb.UnitEvent{Open: &pb.Entry{Path: []byte(path), Kind: "file"}}
}

func chunk(data string, n int) *pb.UnitEvent {
	return &pb.UnitEvent{Data: []byte(data), Chunk: &pb.Chunk{Rows: uint32(n)}}
}

func shut(n int) *pb.UnitEvent { return &pb.UnitEvent{Close: &pb.Digest{Bytes: int64(n)}} }

// Whatever a plugin sends, only valid calls are passed on.
func TestInvalidEventsAreNotPassedOn(t *testing.T) {
	large := strings.Repeat("x", rows.MaxChunk)
	for name, c := range map[string]struct {
		unit   stage.Unit
		events []*pb.UnitEvent
	}{
		"data before open":              {fileUnit, []*pb.UnitEvent{chunk("x", 0)}},
		"close without open":            {fileUnit, []*pb.UnitEvent{shut(0)}},
		"drop without open":             {fileUnit, []*pb.UnitEvent{{Drop: true}}},
		"data after close":              {fileUnit, []*pb.UnitEvent{openFile("dataroot/a"), shut(0), chunk("x", 0)}},
		"open twice":                    {fileUnit, []*pb.UnitEvent{openFile("dataroot/a"), openFile("dataroot/b")}},
		"end while open":                {fileUnit, []*pb.UnitEvent{openFile("dataroot/a")}},
		"end inside a chunk":            {fileUnit, []*pb.UnitEvent{openFile("dataroot/a"), {Data: []byte("x")}}},
		"close inside a chunk":          {fileUnit, []*pb.UnitEvent{openFile("dataroot/a"), {Data: []byte("x")}, shut(1)}},
		"two events in one":             {fileUnit, []*pb.UnitEvent{openFile("dataroot/a"), {Drop: true, Close: &pb.Digest{}}}},
		"data with another event":       {fileUnit, []*pb.UnitEvent{openFile("dataroot/a"), {Drop: true, Data: []byte("x")}}},
		"an unknown event":              {fileUnit, []*pb.UnitEvent{{}}},
		"an unknown event with another": {fileUnit, []*pb.UnitEvent{{Open: openFile("dataroot/a").Open, More: []*pb.UnitEvent{{}}}}},
		"an end with another":           {fileUnit, []*pb.UnitEvent{{Open: openFile("dataroot/a").Open, More: []*pb.UnitEvent{{Close: &pb.Digest{}, End: &pb.End{}}}}}},
		"more of more":                  {fileUnit, []*pb.UnitEvent{{Open: openFile("dataroot/a").Open, More: []*pb.UnitEvent{{Close: &pb.Digest{}, More: []*pb.UnitEvent{{}}}}}}},
		"a row cut off with another":    {tableUnit, []*pb.UnitEvent{{Data: []byte("1\n"), Chunk: &pb.Chunk{Rows: 1}, More: []*pb.UnitEvent{chunk("1\n2", 2)}}}},
		"another part":                  {fileUnit, []*pb.UnitEvent{openFile("filedir/a"), shut(0)}},
		"a table that is opened":        {tableUnit, []*pb.UnitEvent{{Open: &pb.Entry{Path: []byte("db/t"), Kind: "table"}}}},
		"rows that are closed":          {tableUnit, []*pb.UnitEvent{chunk("1\n", 1), shut(0)}},
		"rows that are dropped":         {tableUnit, []*pb.UnitEvent{chunk("1\n", 1), {Drop: true}}},
		"rows that are the same":        {tableUnit, []*pb.UnitEvent{{Same: &pb.Entry{Path: []byte("db/t"), Kind: "table", Fingerprint: "known"}}}},
		"rows that end inside a chunk":  {tableUnit, []*pb.UnitEvent{{Data: []byte("1\n")}}},
		"a file among rows":             {tableUnit, []*pb.UnitEvent{openFile("db/t"), shut(0)}},
		"a table among files":           {fileUnit, []*pb.UnitEvent{{Open: &pb.Entry{Path: []byte("dataroot/t"), Kind: "table"}}, shut(0)}},
		"a path upwards":                {fileUnit, []*pb.UnitEvent{openFile("dataroot/../../etc/passwd"), shut(0)}},
		"an absolute path":              {fileUnit, []*pb.UnitEvent{openFile("/dataroot/x"), shut(0)}},
		"a path with a dot":             {fileUnit, []*pb.UnitEvent{openFile("dataroot/./x"), shut(0)}},
		"a path with NUL":               {fileUnit, []*pb.UnitEvent{openFile("dataroot/x\x00"), shut(0)}},
		"no path":                       {fileUnit, []*pb.UnitEvent{openFile(""), shut(0)}},
		"an unknown kind":               {fileUnit, []*pb.UnitEvent{{Open: &pb.Entry{Path: []byte("dataroot/x"), Kind: "socket"}}}},
		"a link without target":         {fileUnit, []*pb.UnitEvent{{Open: &pb.Entry{Path: []byte("dataroot/x"), Kind: "symlink"}}}},
		"a file with a target":          {fileUnit, []*pb.UnitEvent{{Open: &pb.Entry{Path: []byte("dataroot/x"), Kind: "file", Target: []byte("y")}}}},
		"a directory with content":      {fileUnit, []*pb.UnitEvent{{Open: &pb.Entry{Path: []byte("dataroot/x"), Kind: "dir"}}, chunk("x", 0)}},
		"a digest of more":              {fileUnit, []*pb.UnitEvent{openFile("dataroot/a"), chunk("four", 0), shut(5)}},
		"a digest of less":              {fileUnit, []*pb.UnitEvent{openFile("dataroot/a"), chunk("four", 0), shut(0)}},
		"a file's chunk too large":      {fileUnit, []*pb.UnitEvent{openFile("dataroot/a"), {Data: []byte(large)}, chunk("x", 1)}},
		"rows too many":                 {tableUnit, []*pb.UnitEvent{chunk("1\n2\n", 3)}},
		"rows too few":                  {tableUnit, []*pb.UnitEvent{chunk("1\n2\n", 1)}},
		"a row cut off":                 {tableUnit, []*pb.UnitEvent{chunk("1\n2", 1)}},
		"rows in a chunk too large":     {tableUnit, []*pb.UnitEvent{{Data: []byte(large)}, chunk("\nx\n", 2)}},
		"the same but not known":        {fileUnit, []*pb.UnitEvent{{Same: &pb.Entry{Path: []byte("dataroot/x"), Kind: "file", Fingerprint: "other"}}}},
		"the same without fingerprint":  {fileUnit, []*pb.UnitEvent{{Same: &pb.Entry{Path: []byte("dataroot/x"), Kind: "file"}}}},
		"a directory that is the same":  {fileUnit, []*pb.UnitEvent{{Same: &pb.Entry{Path: []byte("dataroot/x"), Kind: "dir", Fingerprint: "known"}}}},
		"the same while another's open": {fileUnit, []*pb.UnitEvent{openFile("dataroot/a"), {Same: &pb.Entry{Path: []byte("dataroot/x"), Kind: "file", Fingerprint: "known"}}}},
		"a loss without count":          {fileUnit, []*pb.UnitEvent{{Loss: &pb.Loss{Kind: "row", Path: []byte("x"), Reason: "r"}}}},
	} {
		d := &diary{}
		if err := pass(c.unit, d, c.events...); !errors.Is(err, ErrContract) {
			t.Errorf("%s: %v, and the writer got %q", name, err, d.lines)
		}
	}
}

func TestValidEventsArePassedOn(t *testing.T) {
	d := &diary{}
	err := pass(fileUnit, d,
		openFile("dataroot/a"), chunk("four", 0), shut(4),
		openFile("dataroot/b"), &pb.UnitEvent{Data: []byte("in ")}, &pb.UnitEvent{Data: []byte("pieces")}, chunk("", 0), chunk("two", 0), shut(12),
		openFile("dataroot/c"), chunk("x", 0), &pb.UnitEvent{Drop: true}, &pb.UnitEvent{Loss: &pb.Loss{Kind: "changed_file", Path: []byte("dataroot/c"), Reason: "r", Count: 1}},
		&pb.UnitEvent{Same: &pb.Entry{Path: []byte("dataroot/d"), Kind: "file", Fingerprint: "known"}},
		&pb.UnitEvent{Open: &pb.Entry{Path: []byte("dataroot/e"), Kind: "dir"}}, shut(0))
	want := []string{
		"open dataroot/a", "write 4 bytes", "close 4",
		"open dataroot/b", "write 9 bytes", "write 3 bytes", "close 12",
		"open dataroot/c", "write 1 bytes", "drop", "loss dataroot/c", "same dataroot/d", "open dataroot/e", "close 0",
	}
	if err != nil || !slices.Equal(d.lines, want) {
		t.Errorf("%v\n%q\n%q", err, d.lines, want)
	}
	d = &diary{}
	err = pass(fileUnit, d, &pb.UnitEvent{Open: openFile("dataroot/a").Open, More: []*pb.UnitEvent{chunk("four", 0), shut(4), openFile("dataroot/b"), shut(0)}})
	want = []string{"open dataroot/a", "write 4 bytes", "close 4", "open dataroot/b", "close 0"}
	if err != nil || !slices.Equal(d.lines, want) {
		t.Errorf("events of one message: %v\n%q\n%q", err, d.lines, want)
	}
	d = &diary{}
	row := strings.Repeat("r", rows.MaxChunk) + "\n"
	err = pass(tableUnit, d, chunk("1\n2\n", 2), &pb.UnitEvent{Data: []byte(row[:100])}, chunk(row[100:], 1))
	want = []string{"write 4 bytes 2 rows", fmt.Sprintf("write %d bytes 1 rows", len(row))}
	if err != nil || !slices.Equal(d.lines, want) {
		t.Errorf("%v\n%q\n%q", err, d.lines, want)
	}
}

// The writer's error is distinguished from all others.
func TestWriterErrorIsKept(t *testing.T) {
	full := errors.New("the target is full")
	p := &Replayer{Unit: fileUnit, To: &diary{fail: full}}
	err := p.Event(context.Background(), openFile("dataroot/a"), &Tally{})
	if err != full || p.Failed() != full {
		t.Errorf("%v, %v", err, p.Failed())
	}
}

// The writers on both sides see the same calls.
func TestEventsRoundTrip(t *testing.T) {
	var messages [][]byte
	w := NewEventWriter(func(_ context.Context, m *pb.UnitEvent) error {
		b, err := proto.Marshal(m)
		messages = append(messages, b)
		return err
	})
	ctx := t.Context()
	for _, n := range []int{0, 1, FrameSize - 1, FrameSize, FrameSize + 1, rows.MaxChunk} {
		if err := w.Open(ctx, stage.Entry{Path: fmt.Sprintf("dataroot/%d\xff", n), Kind: stage.File}); err != nil {
			t.Fatal(err)
		}
		if err := w.Write(ctx, bytes.Repeat([]byte{1}, n)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(ctx, stage.Digest{Bytes: int64(n)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.End(ctx); err != nil {
		t.Fatal(err)
	}
	if err := w.Drop(ctx); err == nil {
		t.Error("a unit continues after its end")
	}
	recv := func() (*pb.UnitEvent, error) {
		if len(messages) == 0 {
			return nil, io.EOF
		}
		m := &pb.UnitEvent{}
		err := proto.Unmarshal(messages[0], m)
		messages = messages[1:]
		return m, err
	}
	d := &diary{}
	p := &Replayer{Unit: fileUnit, To: d}
	if err := Receive(recv, func(m *pb.UnitEvent, t *Tally) error { return p.Event(ctx, m, t) }); err != nil {
		t.Fatal(err)
	}
	for i, n := range []int{0, 1, FrameSize - 1, FrameSize, FrameSize + 1, rows.MaxChunk} {
		want := []string{fmt.Sprintf("open dataroot/%d\xff", n), fmt.Sprintf("write %d bytes", n), fmt.Sprintf("close %d", n)}
		if got := d.lines[3*i : 3*i+3]; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
