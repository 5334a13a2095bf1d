package host_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/protocol"
	"github.com/lmsvault/vault/plugins/sdk"
)

// The stages of this file do on request what a plugin may do.

type play struct {
	Mode  string `key:"mode" help:"what to do"`
	Diary string `key:"diary" help:"a file to tell of it"`
	Count int    `key:"count" help:"how often"`

	Token sdk.Secret `key:"token" help:"a secret"`

	mu sync.Mutex
}

// tell writes a line to the diary, where the test can read it, from any process.
func (p *play) tell(format string, args ...any) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	f, err := os.OpenFile(p.Diary, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, format+"\n", args...)
	return errors.Join(err, f.Close())
}

func played() []sdk.Stage {
	parts := []string{stage.DB, stage.Dataroot}
	return []sdk.Stage{
		sdk.SourceStage("play", "Does on request what a source may do.", "", parts, func(_ context.Context, c *play, _ sdk.Env) (sdk.Source, error) {
			return &playSource{c}, nil
		}),
		sdk.SinkStage("play", "Does on request what a sink may do.", "", parts, func(_ context.Context, c *play, _ sdk.Env) (sdk.Sink, error) {
			return &playSink{play: c}, nil
		}),
		sdk.SinkStage("knowing", "A sink with a baseline.", "", parts, func(_ context.Context, c *play, _ sdk.Env) (sdk.Sink, error) {
			return playBaseline{&playSink{play: c}}, nil
		}),
		sdk.SourceStage("counting", "A source that counts.", "", parts, func(_ context.Context, c *play, _ sdk.Env) (sdk.Source, error) {
			return &playCounter{playSource{c}}, nil
		}),
	}
}

func playTable() schema.Table {
	return schema.Table{Name: "t", Dialect: "mysql", Columns: []schema.Column{{Name: "x", Type: schema.Type{Kind: schema.Text}}}}
}

var (
	errPlay   = fmt.Errorf("the pool is gone: %w", stage.ErrCorrupt)
	rowUnit   = stage.Unit{ID: "db/t\xff", Part: stage.DB, Table: "t", Spec: "\x00\xff"}
	filesUnit = stage.Unit{ID: "dataroot/all", Part: stage.Dataroot}
	odd       = stage.Entry{Path: "dataroot/caf\xe9", Kind: stage.File, Size: 4, Mode: 0o4755, Owner: stage.Owner{Known: true, UID: 33, GID: 1000}, Fingerprint: "1:2"}
)

type playSource struct{ *play }

func (s *playSource) Plan(context.Context, stage.PlanRequest) (*stage.Inventory, error) {
	switch s.Mode {
	case "refused":
		return nil, failure.New(failure.Refused, "the site is in maintenance: %w", errPlay)
	case "other part":
		return &stage.Inventory{Units: []stage.Unit{{ID: "filedir/00", Part: stage.Filedir}}}, nil
	case "many units":
		inv := &stage.Inventory{}
		for i := range s.Count {
			inv.Units = append(inv.Units, stage.Unit{ID: fmt.Sprint("dataroot/", i), Part: stage.Dataroot, Spec: strings.Repeat("x", 100)})
		}
		return inv, nil
	}
	return &stage.Inventory{Tables: []stage.TableInfo{{Schema: playTable()}}, Units: []stage.Unit{rowUnit, filesUnit}}, nil
}

type playCounter struct{ playSource }

func (s *playCounter) Count(_ context.Context, table string) (int64, error) {
	if s.Mode == "refused" {
		return 0, failure.New(failure.Refused, "table %s is locked: %w", table, errPlay)
	}
	return int64(s.play.Count), nil
}

var largeRow = sync.OnceValue(func() []byte {
	return append(bytes.Repeat([]byte("large row "), 64<<20/10), '\n')
})

func (s *playSource) ReadRows(ctx context.Context, _ stage.ReadRequest, w stage.RowWriter) error {
	var err error
	do := func(fn func() error) {
		if err == nil {
			err = fn()
		}
	}
	write := func(data []byte, n int) { do(func() error { return w.Write(ctx, stage.Chunk{Data: data, Rows: n}) }) }
	switch s.Mode {
	case "large row":
		write([]byte("1\n2\n"), 2)
		write(largeRow(), 1)
		write([]byte("3\n"), 1)
	case "panic":
		panic("a bug in the source")
	case "slow":
		<-time.After(700 * time.Millisecond)
		for range 2 { // the first is sent with the second
			write(append(bytes.Repeat([]byte("x"), 1<<20), '\n'), 1)
		}
		<-ctx.Done()
	case "own timer":
		return fmt.Errorf("my own timer: %w", context.Canceled)
	case "error":
		return failure.Wrap(failure.Unproven, errPlay)
	case "away":
		return stage.Temporary(errors.New("the server restarts"), 5*time.Second)
	case "die":
		write([]byte("1\n"), 1)
		do(func() error { return syscall.Kill(os.Getpid(), syscall.SIGKILL) })
		<-ctx.Done()
	case "wrong rows":
		write([]byte("1\n"), 7)
	case "files":
		do(func() error { return s.ReadFiles(ctx, stage.ReadRequest{}, w.(protocol.RowEventWriter).Events()) })
	case "chunks":
		chunk := bytes.Repeat([]byte("a row of some bytes\n"), 1<<20/20)
		for range s.Count {
			write(chunk, len(chunk)/20)
		}
	}
	return err
}

func (s *playSource) ReadFiles(ctx context.Context, r stage.ReadRequest, w stage.FileWriter) error {
	var err error
	do := func(fn func() error) {
		if err == nil {
			err = fn()
		}
	}
	open := func(e stage.Entry) { do(func() error { return w.Open(ctx, e) }) }
	write := func(data []byte) { do(func() error { return w.Write(ctx, data) }) }
	shut := func(n int) { do(func() error { return w.Close(ctx, stage.Digest{Bytes: int64(n)}) }) }
	switch s.Mode {
	case "endless", "deaf":
		open(odd)
		for err == nil {
			write(make([]byte, rows.MaxChunk))
		}
		if err := s.tell("ended by %v, which is a context's: %v", err, errors.Is(err, context.Canceled)); err != nil {
			return err
		}
		if s.Mode == "deaf" {
			return nil
		}
	case "data before open":
		write([]byte("1\n"))
	case "left open", "files":
		open(odd)
	case "a table":
		open(stage.Entry{Path: "dataroot/t", Kind: stage.Table})
	case "losses":
		open(odd)
		do(func() error { return w.Drop(ctx) })
		do(func() error {
			return w.Loss(ctx, stage.Loss{Kind: stage.LossChanged, Path: odd.Path, Where: "byte \xff", Reason: "it shrank", Count: 3})
		})
		if r.Baseline[odd.Path] == odd.Fingerprint {
			do(func() error { return w.Same(ctx, odd) })
		}
	case "liar":
		do(func() error { return w.Same(ctx, odd) })
	case "many":
		for range s.Count {
			open(stage.Entry{Path: "dataroot/a/folder/of/usual/depth/and-name", Kind: stage.Dir, Mode: 0o755})
			shut(0)
		}
	case "many files":
		for range s.Count {
			open(stage.Entry{Path: "dataroot/a/folder/of/usual/depth/and-name", Kind: stage.File, Mode: 0o755})
			write([]byte("tiny"))
			shut(4)
		}
	}
	return err
}

func (s *playSource) Close(context.Context) error {
	if s.Diary == "" {
		return nil
	}
	return s.tell("closed")
}

type playSink struct{ *play }

func (s *playSink) Check(context.Context, *stage.Plan) (stage.Findings, error) {
	if s.Mode == "refused" {
		return stage.Findings{}, failure.New(failure.Refused, "the target is in use: %w", errPlay)
	}
	return stage.Findings{Losses: []stage.Loss{stage.LostIndex("t", "i", "too long")}, Notes: []stage.Note{{Path: "t\xff", Text: "noted"}}}, nil
}

func (s *playSink) Begin(_ context.Context, p *stage.Plan) error {
	return s.tell("begin %s %q %d", p.Pipeline, p.Facts["site_name"], len(p.Tables))
}

func (s *playSink) unit(u stage.Unit) (*playUnit, error) {
	if s.Mode == "no unit" {
		return nil, failure.New(failure.Refused, "no more units: %w", errPlay)
	}
	return &playUnit{s, u}, s.tell("unit %q %q", u.ID, u.Spec)
}

func (s *playSink) WriteRows(_ context.Context, u stage.Unit) (stage.RowUnit, error) {
	w, err := s.unit(u)
	return playRows{w}, err
}

func (s *playSink) WriteFiles(_ context.Context, u stage.Unit) (stage.FileUnit, error) {
	return s.unit(u)
}

func (s *playSink) Finish(ctx context.Context, o *stage.Outcome) error {
	sdk.Step(ctx, "building index a of "+s.Token.Reveal())()
	sdk.Step(ctx, "building index b \x1b[31m") // without reporting its end
	return s.tell("finish %d %s", len(o.Tables), o.Facts["engine"])
}

func (s *playSink) Prove(ctx context.Context) ([]stage.TableProof, error) {
	defer sdk.Step(ctx, "reading back t")()
	return []stage.TableProof{{Schema: playTable(), Sum: rows.Sum{Rows: 3, Hi: 1 << 63, Lo: 5}, Losses: []stage.Loss{stage.LostIndex("t", "", "double")}}}, nil
}

func (s *playSink) Publish(context.Context) error {
	switch s.Mode {
	case "die in publish":
		return syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "wait in publish": // until the test closes the pipe
		if _, err := os.ReadFile(s.Diary + ".pipe"); err != nil {
			return err
		}
	}
	return s.tell("publish")
}

func (s *playSink) Notes(context.Context) ([]stage.Note, error) {
	return []stage.Note{{Path: "db/t", Text: "the old one stays: " + s.Token.Reveal()}}, nil
}

func (s *playSink) Abort(context.Context) error { return s.tell("abort") }
func (s *playSink) Close(context.Context) error { return s.tell("close") }

type playBaseline struct{ *playSink }

func (playBaseline) Baseline(_ context.Context, u stage.Unit) (stage.Baseline, error) {
	switch u.ID {
	case "dataroot/none":
		return nil, nil
	case "dataroot/empty":
		return stage.Baseline{}, nil
	case "dataroot/error":
		return nil, errPlay
	}
	return stage.Baseline{odd.Path: odd.Fingerprint}, nil
}

type playUnit struct {
	s *playSink
	u stage.Unit
}

func (w *playUnit) Open(_ context.Context, e stage.Entry) error { return w.s.tell("open %q", e.Path) }

// playRows receives rows as playUnit receives files.
type playRows struct{ *playUnit }

func (w playRows) Write(ctx context.Context, c stage.Chunk) error { return w.write(ctx, c) }

func (w *playUnit) Write(ctx context.Context, data []byte) error {
	return w.write(ctx, stage.Chunk{Data: data})
}

func (w *playUnit) write(ctx context.Context, c stage.Chunk) error {
	switch w.s.Mode {
	case "full":
		return failure.Wrap(failure.Unproven, errPlay)
	case "panic":
		panic("a bug in the sink")
	case "hang":
		if err := w.s.tell("hangs"); err != nil {
			return err
		}
		<-ctx.Done()
		return ctx.Err()
	case "deaf":
		select {}
	case "die":
		return syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "mute":
		return nil
	}
	return w.s.tell("write %d %d %x", len(c.Data), c.Rows, sha256.Sum256(c.Data))
}

func (w *playUnit) Close(context.Context, stage.Digest) error {
	if w.s.Mode == "mute" {
		return nil
	}
	return w.s.tell("close entry")
}
func (w *playUnit) Same(_ context.Context, e stage.Entry) error { return w.s.tell("same %q", e.Path) }
func (w *playUnit) Drop(context.Context) error                  { return w.s.tell("drop") }
func (w *playUnit) Loss(_ context.Context, l stage.Loss) error  { return w.s.tell("loss %s", l.Reason) }

func (w *playUnit) Commit(context.Context) (*stage.Receipt, error) {
	r := &stage.Receipt{Rows: 3, Files: 2, Bytes: 1, State: []byte{0xff, 0}}
	switch w.s.Mode {
	case "die in commit":
		return nil, syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "slow commit":
		<-time.After(700 * time.Millisecond)
	case "late commit": // ignores that the call has ended
		if _, err := os.ReadFile(w.s.Diary + ".pipe"); err != nil {
			return nil, err
		}
	case "no commit":
		return nil, failure.Wrap(failure.Refused, errPlay)
	case "refuses":
		l := stage.Loss{Kind: stage.LossRow, Path: "db/t", Where: "id=1", Reason: "too long", Count: 1}
		for _, row := range [][]byte{largeRow(), {}, nil, []byte("latin \xe9\tx")} {
			l.Row = row
			r.Losses = append(r.Losses, l)
		}
	}
	return r, w.s.tell("commit")
}

func (w *playUnit) Abort(context.Context) error {
	if w.s.Mode == "abort fails" {
		return errPlay
	}
	return w.s.tell("abort unit")
}

// written returns the lines of the diary.
func written(t testing.TB, diary string) []string {
	t.Helper()
	b, err := os.ReadFile(diary)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}
