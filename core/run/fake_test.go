package run

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// memory is a source of tables and files in memory.
type memory struct {
	tables   map[string][]string // rows
	schema   map[string]schema.Table
	files    map[string]string // filedir path → content
	modes    map[string]uint32 // of files
	losses   []stage.Loss
	recorded []stage.Loss
	proofs   map[string]rows.Sum
	damaged  map[string]int64 // rows by unit that are damaged where they are stored
	misfit   map[string]int64 // rows by unit that do not fit their table
	fail     string           // the unit that cannot be read
	dataroot bool             // it has an empty data root, too

	unreadable string // the path of a file in the pool
	trouble    trouble
}

func (m *memory) Plan(context.Context, stage.PlanRequest) (*stage.Inventory, error) {
	inv := &stage.Inventory{Losses: m.losses, Recorded: m.recorded, Facts: map[string]string{"engine": "memory"}}
	for name := range m.tables {
		info := stage.TableInfo{Schema: m.structure(name)}
		if sum, ok := m.proofs[name]; ok {
			info.Proof = &sum
		}
		inv.Tables = append(inv.Tables, info)
		// Two units per table, read in parallel.
		inv.Units = append(inv.Units, stage.Unit{ID: "db/" + name + "#0", Part: stage.DB, Table: name, Spec: "0"},
			stage.Unit{ID: "db/" + name + "#1", Part: stage.DB, Table: name, Spec: "1"})
	}
	if m.files != nil {
		inv.Units = append(inv.Units, stage.Unit{ID: "filedir/all", Part: stage.Filedir})
	}
	if m.dataroot {
		inv.Units = append(inv.Units, stage.Unit{ID: "dataroot/.", Part: stage.Dataroot})
	}
	return inv, nil
}

// counting is a memory that counts its rows and withholds some of them from reads.
type counting struct {
	*memory
	withheld map[string]int64 // rows by table; -1: the table cannot be counted
	failed   error
}

func (c *counting) Count(_ context.Context, table string) (int64, error) {
	if n := c.withheld[table]; n < 0 {
		return -1, nil
	}
	return int64(len(c.tables[table])) + c.withheld[table], c.failed
}

func (m *memory) structure(name string) schema.Table {
	if t, ok := m.schema[name]; ok {
		return t
	}
	return schema.Table{Name: name, Columns: []schema.Column{
		{Name: "id", Type: schema.Type{Kind: schema.Int, Size: 8}}, {Name: "contenthash", Type: schema.Type{Kind: schema.Text}}}}
}

func (m *memory) ReadFiles(ctx context.Context, r stage.ReadRequest, w stage.FileWriter) error {
	if r.Unit.ID == m.fail {
		return fmt.Errorf("the disk has gone away")
	}
	for path, content := range m.files {
		if r.Unit.Part == stage.Dataroot {
			break
		}
		if err := m.file(ctx, w, path, content); err != nil {
			return err
		}
	}
	if m.unreadable != "" {
		if err := w.Loss(ctx, stage.Loss{Kind: stage.LossUnreadable, Path: m.unreadable, Reason: "permission denied", Count: 1}); err != nil {
			return err
		}
	}
	return m.trouble.next(r.Unit.ID)
}

func (m *memory) ReadRows(ctx context.Context, r stage.ReadRequest, w stage.RowWriter) error {
	u := r.Unit
	if u.ID == m.fail {
		return fmt.Errorf("the server has gone away")
	}
	half := len(m.tables[u.Table]) / 2
	part := m.tables[u.Table][:half]
	if u.Spec == "1" {
		part = m.tables[u.Table][half:]
	}
	for _, row := range part {
		if err := w.Write(ctx, stage.Chunk{Data: []byte(row + "\n"), Rows: 1}); err != nil {
			return err
		}
	}
	if n := m.misfit[u.ID]; n > 0 {
		if err := w.Loss(ctx, stage.Loss{Kind: stage.LossRow, Path: "db/" + u.Table, Reason: "it doesn't fit", Count: n}); err != nil {
			return err
		}
	}
	if n := m.damaged[u.ID]; n > 0 {
		if err := w.Loss(ctx, stage.Loss{Kind: stage.LossStored, Path: "db/" + u.Table, Reason: "a bit flipped", Count: n}); err != nil {
			return err
		}
	}
	return m.trouble.next(u.ID)
}

func (m *memory) file(ctx context.Context, w stage.FileWriter, path, content string) error {
	if err := w.Open(ctx, stage.Entry{Path: "filedir/" + path, Kind: stage.File, Size: int64(len(content)), Mode: m.modes[path]}); err != nil {
		return err
	}
	if err := w.Write(ctx, []byte(content)); err != nil {
		return err
	}
	return w.Close(ctx, stage.Digest{Bytes: int64(len(content))})
}

func (m *memory) Close(context.Context) error { return nil }

// target is a sink in memory that misbehaves on demand.
type target struct {
	mu          sync.Mutex
	plan        *stage.Plan
	lost        []stage.Loss // returned by Check
	outcome     *stage.Outcome
	tables      map[string][]string
	files       map[string]string
	refuse      string // rows that contain it are rejected
	swallow     string // rows that contain it are silently dropped
	swallowTold bool   // but counted as written
	spoil       string // a value that the target changes
	unbuilt     string // name of the index that cannot be built, "" for none
	silent      bool   // it does not report that
	calls       []string
	finished    bool

	trouble       trouble
	unpublishable error // returned by Publish
	unabortable   error // returned by Abort
}

func (t *target) call(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.calls = append(t.calls, name)
}

func (t *target) Check(_ context.Context, p *stage.Plan) (stage.Findings, error) {
	t.call("check")
	t.plan = p
	return stage.Findings{Losses: t.lost}, nil
}

func (t *target) Begin(context.Context, *stage.Plan) error {
	t.call("begin")
	t.tables, t.files = map[string][]string{}, map[string]string{}
	return nil
}

func (t *target) WriteRows(_ context.Context, u stage.Unit) (stage.RowUnit, error) {
	return &rowUnit{target: t, unit: u}, nil
}

func (t *target) WriteFiles(_ context.Context, u stage.Unit) (stage.FileUnit, error) {
	return &fileUnit{target: t, unit: u, files: map[string]string{}}, nil
}

func (t *target) Finish(_ context.Context, o *stage.Outcome) error {
	t.call("finish")
	t.outcome = o
	t.finished = true
	return nil
}

func (t *target) Prove(context.Context) ([]stage.TableProof, error) {
	t.call("prove")
	var proofs []stage.TableProof
	for _, info := range t.plan.Tables {
		p := stage.TableProof{Schema: info.Schema}
		p.Schema.Indexes = slices.DeleteFunc(slices.Clone(p.Schema.Indexes), func(x schema.Index) bool { return x.Name == t.unbuilt })
		if len(p.Schema.Indexes) < len(info.Schema.Indexes) && !t.silent {
			p.Losses = []stage.Loss{stage.LostIndex(info.Schema.Name, t.unbuilt, "a row is too large for it")}
		}
		for _, row := range t.tables[info.Schema.Name] {
			if t.spoil != "" {
				row = strings.Replace(row, t.spoil, "?", 1)
			}
			p.Sum.Add([]byte(row))
		}
		proofs = append(proofs, p)
	}
	return proofs, nil
}

func (t *target) Publish(context.Context) error {
	t.call("publish")
	return t.unpublishable
}

func (t *target) Abort(context.Context) error {
	t.call("abort")
	return t.unabortable
}

func (t *target) Close(context.Context) error { t.call("close"); return nil }

// trouble holds the errors of units by ID, one per attempt.
type trouble struct {
	mu   sync.Mutex
	errs map[string][]error
}

func (t *trouble) next(unit string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.errs[unit]) == 0 {
		return nil
	}
	err := t.errs[unit][0]
	t.errs[unit] = t.errs[unit][1:]
	return err
}

// rowUnit holds the rows of a unit until it is committed.
type rowUnit struct {
	target  *target
	unit    stage.Unit
	rows    []string
	given   int64
	refused []stage.Loss
}

func (w *rowUnit) Write(_ context.Context, c stage.Chunk) error {
	for row := range strings.Lines(string(c.Data)) {
		row = strings.TrimSuffix(row, "\n")
		w.given++
		switch {
		case w.target.refuse != "" && strings.Contains(row, w.target.refuse):
			w.refused = append(w.refused, stage.Loss{Kind: stage.LossRow, Path: "db/" + w.unit.Table, Where: "id=" + row[:1], Reason: "no", Row: []byte(row)})
		case w.target.swallow != "" && strings.Contains(row, w.target.swallow):
			if w.target.swallowTold {
				w.given--
			}
		default:
			w.rows = append(w.rows, row)
		}
	}
	return nil
}

func (w *rowUnit) Loss(context.Context, stage.Loss) error { return nil }
func (w *rowUnit) Abort(context.Context) error            { return nil }

func (w *rowUnit) Commit(context.Context) (*stage.Receipt, error) {
	w.target.mu.Lock()
	defer w.target.mu.Unlock()
	if err := w.target.trouble.next(w.unit.ID); err != nil {
		return nil, err
	}
	w.target.tables[w.unit.Table] = append(w.target.tables[w.unit.Table], w.rows...)
	return &stage.Receipt{Rows: w.given - int64(len(w.refused)), Losses: w.refused}, nil
}

// fileUnit holds the files of a unit until it is committed.
type fileUnit struct {
	target  *target
	unit    stage.Unit
	path    string
	content strings.Builder
	files   map[string]string
}

func (w *fileUnit) Open(_ context.Context, e stage.Entry) error {
	w.path = e.Path
	w.content.Reset()
	return nil
}

func (w *fileUnit) Write(_ context.Context, data []byte) error {
	w.content.Write(data)
	return nil
}

func (w *fileUnit) Close(context.Context, stage.Digest) error {
	w.files[w.path] = w.content.String()
	return nil
}

func (w *fileUnit) Same(context.Context, stage.Entry) error { return nil }
func (w *fileUnit) Drop(context.Context) error              { return nil }
func (w *fileUnit) Loss(context.Context, stage.Loss) error  { return nil }
func (w *fileUnit) Abort(context.Context) error             { return nil }

func (w *fileUnit) Commit(context.Context) (*stage.Receipt, error) {
	w.target.mu.Lock()
	defer w.target.mu.Unlock()
	if err := w.target.trouble.next(w.unit.ID); err != nil {
		return nil, err
	}
	r := &stage.Receipt{Files: int64(len(w.files))}
	for path, content := range w.files {
		w.target.files[path] = content
		r.Bytes += int64(len(content))
	}
	return r, nil
}
