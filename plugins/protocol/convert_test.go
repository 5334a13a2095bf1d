package protocol

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// dice makes random values of everything that is sent, with many unusual ones.
type dice struct{ *rand.Rand }

func (d dice) text() string {
	return [...]string{"", "a", "Ünïcode 💾", "tab\tline\n\x00nul", `back\slash "quote" \ufffd`, "\uFFFD", "<&>\u2028", strings.Repeat("long ", d.IntN(2000))}[d.IntN(8)]
}

func (d dice) bytes() string {
	return [...]string{"", "a", "latin \xe9", "\xff\xfe\x00", "d\n\t", "💾"}[d.IntN(6)]
}

func (d dice) size() int64 {
	return [...]int64{0, 1, 1 << 40, math.MaxInt64, d.Int64()}[d.IntN(5)]
}

func (d dice) time() time.Time {
	zone := time.FixedZone("odd", d.IntN(26*3600)-13*3600)
	return [...]time.Time{
		{}, time.Unix(0, 0), time.Unix(-1, 999_999_999), time.Unix(d.Int64N(1<<40)-1<<39, d.Int64N(1e9)).In(zone),
		time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC), time.Date(292_000_000, 1, 1, 0, 0, 0, 0, zone), time.Date(-5000, 2, 3, 4, 5, 6, 7, zone),
	}[d.IntN(7)]
}

func list[T any](d dice, most int, make func() T) (all []T) {
	for range d.IntN(most + 1) {
		all = append(all, make())
	}
	return all
}

func (d dice) table(name string) schema.Table {
	t := schema.Table{Name: name, Dialect: d.text(), Collation: d.text(), Options: d.text(), Comment: d.text()}
	for i := range 1 + d.IntN(5) {
		c := schema.Column{Name: fmt.Sprintf("c%d %s", i, d.text()), Native: d.text(), Nullable: d.IntN(2) == 0, Comment: d.text()}
		c.Type = schema.Type{Kind: schema.Enum, Size: d.IntN(9), Length: d.IntN(1 << 30), Values: list(d, 3, d.text)}
		if d.IntN(2) == 0 {
			c.Default = &schema.Default{Value: d.text(), Expr: d.IntN(2) == 0}
		}
		t.Columns = append(t.Columns, c)
	}
	if d.IntN(2) == 0 {
		t.PrimaryKey = []string{t.Columns[0].Name}
		t.Sequence = &schema.Sequence{Column: t.Columns[0].Name, Next: math.MaxUint64 - uint64(d.IntN(9))}
		t.Indexes = []schema.Index{{Name: d.text(), Columns: []schema.IndexColumn{{Name: t.Columns[0].Name, Prefix: d.IntN(9), Desc: true}}}, {Native: "lower(x)"}}
	}
	return t
}

func (d dice) sum() rows.Sum {
	return rows.Sum{Rows: d.size(), Hi: d.Uint64(), Lo: d.Uint64()}
}

func (d dice) info(i int) stage.TableInfo {
	t := stage.TableInfo{Schema: d.table(fmt.Sprint("t", i)), Rows: d.size(), Bytes: d.size()}
	if d.IntN(2) == 0 {
		s := d.sum()
		t.Proof = &s
	}
	return t
}

func (d dice) proof() stage.TableProof {
	return stage.TableProof{Schema: d.table("t"), Sum: d.sum(), Losses: list(d, 2, d.loss)}
}

func (d dice) loss() stage.Loss {
	return stage.Loss{Kind: stage.LossRow, Path: "db/" + d.bytes(), Where: d.text(), Reason: "because" + d.text(), Count: 1 + d.Int64N(math.MaxInt64)}
}

func (d dice) note() stage.Note { return stage.Note{Path: d.bytes(), Text: d.text()} }

func (d dice) unit() stage.Unit {
	return stage.Unit{ID: fmt.Sprint("u", d.Uint64(), d.bytes()), Part: stage.Dataroot, Spec: d.bytes(), Rows: d.size(), Bytes: d.size()}
}

func (d dice) entry() stage.Entry {
	return stage.Entry{Path: d.bytes(), Kind: stage.Kind(d.text()), Size: d.size(), Mode: d.Uint32N(0o10000), Target: d.bytes(), Fingerprint: d.text(), ModTime: d.time(), Owner: d.owner()}
}

func (d dice) owner() stage.Owner {
	switch d.IntN(3) {
	case 0:
		return stage.Owner{}
	case 1:
		return stage.Owner{Known: true} // root
	}
	return stage.Owner{Known: true, UID: d.Uint32N(stage.MaxID + 1), GID: stage.MaxID}
}

func (d dice) facts() (all map[string]string) {
	for i := range d.IntN(4) {
		if all == nil {
			all = map[string]string{}
		}
		all[fmt.Sprint(d.text(), i)] = d.bytes()
	}
	return all
}

func (d dice) known() stage.Baseline {
	if d.IntN(3) == 0 {
		return nil
	}
	k := stage.Baseline{}
	for range d.IntN(3) * 2000 {
		k[fmt.Sprint(d.bytes(), d.Uint64())] = "fingerprint"
	}
	return k
}

// wire sends messages as a connection does, and refuses those that are too large.
type wire[M any, P interface {
	*M
	proto.Message
}] struct {
	t        testing.TB
	messages [][]byte
}

func (w *wire[M, P]) send(m *M) error {
	b, err := proto.Marshal(P(m))
	if len(b) > 1020<<10 {
		w.t.Errorf("message of %d bytes", len(b))
	}
	w.messages = append(w.messages, b)
	return err
}

func (w *wire[M, P]) recv() (*M, error) {
	if len(w.messages) == 0 {
		return nil, io.EOF
	}
	m := new(M)
	err := proto.Unmarshal(w.messages[0], P(m))
	w.messages = w.messages[1:]
	return m, err
}

func same(t *testing.T, got, want any, err error) {
	t.Helper()
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("got\n%+v\n%v, want\n%+v", got, err, want)
	}
}

func TestMessagesRoundTrip(t *testing.T) {
	for seed := range uint64(50) {
		d := dice{rand.New(rand.NewPCG(seed, 1))}

		e := d.entry()
		m, err := EntryMessage(e)
		if err != nil {
			t.Fatal(err)
		}
		gotEntry, err := Entry(m)
		if !gotEntry.ModTime.Equal(e.ModTime) || gotEntry.ModTime.IsZero() != e.ModTime.IsZero() {
			t.Fatalf("time %v became %v", e.ModTime, gotEntry.ModTime)
		}
		gotEntry.ModTime = e.ModTime
		same(t, gotEntry, e, err)

		inv := &stage.Inventory{
			Units: list(d, 20, d.unit), Facts: d.facts(), Location: d.text(), Snapshot: d.text(), Losses: list(d, 3, d.loss), Recorded: list(d, 3, d.loss), Notes: list(d, 3, d.note),
		}
		for i := range d.IntN(4) {
			inv.Tables = append(inv.Tables, d.info(i))
		}
		inventories := &wire[pb.Inventory, *pb.Inventory]{t: t}
		if err := SendInventory(inv, inventories.send); err != nil {
			t.Fatal(err)
		}
		gotInv, err := ReceiveInventory(inventories.recv)
		same(t, gotInv, inv, err)

		plan := &stage.Plan{Pipeline: d.text(), Tables: inv.Tables, Parts: list(d, 2, d.text), Facts: d.facts(), Files: d.size(), Bytes: d.size(), Workers: d.IntN(99), Replace: stage.ReplaceSwap, Preserve: list(d, 2, d.text),
			Locations: list(d, 2, d.text), Snapshots: list(d, 2, d.text)}
		plans := &wire[pb.Plan, *pb.Plan]{t: t}
		if err := SendPlan(7, plan, plans.send); err != nil {
			t.Fatal(err)
		}
		id, gotPlan, err := ReceivePlan(plans.recv)
		same(t, gotPlan, plan, err)

		outcome := &stage.Outcome{Dropped: map[string]int64{d.text(): d.size()}, Added: map[string]int64{d.text(): d.size()}, Tables: list(d, 2, d.proof), Facts: d.facts(), Losses: inv.Losses, Notes: inv.Notes}
		outcomes := &wire[pb.Outcome, *pb.Outcome]{t: t}
		if err := SendOutcome(7, outcome, outcomes.send); err != nil {
			t.Fatal(err)
		}
		id2, gotOutcome, err := ReceiveOutcome(outcomes.recv)
		same(t, gotOutcome, outcome, err)

		unit, known := d.unit(), d.known()
		reads := &wire[pb.ReadRequest, *pb.ReadRequest]{t: t}
		if err := SendRead(7, stage.ReadRequest{Unit: unit, Baseline: known}, reads.send); err != nil {
			t.Fatal(err)
		}
		id3, gotRead, err := ReceiveRead(reads.recv)
		gotKnown := gotRead.Baseline
		same(t, gotRead.Unit, unit, err)
		if !maps.Equal(gotKnown, known) || (gotKnown == nil) != (known == nil) {
			t.Fatalf("%d known files, %v, became %d, %v", len(known), known == nil, len(gotKnown), gotKnown == nil)
		}
		answers := &wire[pb.BaselineResponse, *pb.BaselineResponse]{t: t}
		if err := SendBaseline(known, answers.send); err != nil {
			t.Fatal(err)
		}
		gotKnown, err = ReceiveBaseline(answers.recv)
		same(t, gotKnown, known, err)
		if id != 7 || id2 != 7 || id3 != 7 {
			t.Fatalf("instances %d, %d, %d", id, id2, id3)
		}

		mapped := stage.Mapped{From: d.table("t"), Schema: d.table("t"), Rewrite: d.IntN(2) == 0, Adds: d.IntN(2) == 0, Losses: list(d, 2, d.loss), Notes: list(d, 2, d.note)}
		mm, err := MappedMessage(mapped)
		if err != nil {
			t.Fatal(err)
		}
		gotMapped, err := Mapped(mm, Table)
		same(t, gotMapped, mapped, err)

		refused := list(d, 3, d.loss)
		for i := range refused {
			refused[i].Row = [...][]byte{nil, {}, []byte("1\t\xff"), make([]byte, d.IntN(3*FrameSize))}[d.IntN(4)]
		}
		rejections := &wire[pb.UnitResponse, *pb.UnitResponse]{t: t}
		receipt := &stage.Receipt{Rows: d.size(), Files: d.size(), Bytes: d.size(), State: []byte(d.text()), Losses: refused}
		if err := SendReceipt(receipt, func(m *pb.UnitResponse) error {
			b, err := proto.Marshal(m)
			rejections.messages = append(rejections.messages, b)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		gotReceipt, err := ReceiveReceipt(rejections.recv)
		if err == nil && len(receipt.State) == 0 {
			gotReceipt.State, receipt.State = nil, nil
		}
		same(t, gotReceipt, receipt, err)
	}
}

// Names and values that a message can't represent must not be changed.
func TestInvalidUTF8IsRefused(t *testing.T) {
	bad := "caf\xe9"
	table := func(change func(*schema.Table)) error {
		s := schema.Table{Name: "course", Columns: []schema.Column{{Name: "id", Type: schema.Type{Kind: schema.Int}, Comment: `a text of \ufffd`}}}
		change(&s)
		_, err := TableMessage(s)
		return err
	}
	_, entry := EntryMessage(stage.Entry{Path: "dataroot/x", Kind: stage.File, Fingerprint: bad})
	_, unit := UnitMessage(stage.Unit{ID: "db/x", Table: bad})
	_, loss := LossMessage(stage.Loss{Kind: stage.LossKind(bad), Path: "db/x"})
	_, digest := DigestMessage(stage.Digest{SHA1: bad})
	ignore := func(*pb.Plan) error { return nil }
	for name, c := range map[string]struct {
		err   error
		names string
	}{
		"a table's name":      {table(func(s *schema.Table) { s.Name = bad }), `"caf\xe9"`},
		"a column's name":     {table(func(s *schema.Table) { s.Columns[0].Name = bad }), "table course"},
		"a default":           {table(func(s *schema.Table) { s.Columns[0].Default = &schema.Default{Value: bad} }), "table course"},
		"a large table":       {table(func(s *schema.Table) { s.Comment = strings.Repeat("x", maxTable) }), "table course"},
		"an entry's":          {entry, "dataroot/x"},
		"a unit's":            {unit, "db/x"},
		"a loss's":            {loss, "db/x"},
		"a digest's":          {digest, `"caf\xe9"`},
		"the name of a fact":  {SendPlan(1, &stage.Plan{Facts: map[string]string{bad: "1"}}, ignore), `"caf\xe9"`},
		"the pipeline's name": {SendPlan(1, &stage.Plan{Pipeline: bad}, ignore), `"caf\xe9"`},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.names) {
			t.Errorf("%s: %v, want %s named", name, c.err, c.names)
		}
	}
	if err := table(func(*schema.Table) {}); err != nil {
		t.Errorf("a table with the text \\ufffd in its comment: %v", err)
	}
}

func TestTextsForPeopleAreConverted(t *testing.T) {
	m, err := LossMessage(stage.Loss{Kind: stage.LossRow, Path: "db/\xe9", Where: "name=\xe9", Reason: "Incorrect string value: '\xe9' " + strings.Repeat("é", maxText), Count: 1})
	if err != nil {
		t.Fatal(err)
	}
	if string(m.Path) != "db/\xe9" || m.Where != "name=\uFFFD" || !utf8.ValidString(m.Reason) || !strings.HasSuffix(m.Reason, " bytes more)") {
		t.Errorf("%q %q … %q", m.Path, m.Where, m.Reason[len(m.Reason)-20:])
	}
	n, err := NoteMessage(stage.Note{Text: "\xff"})
	if err != nil || n.Text != "\uFFFD" {
		t.Errorf("%q, %v", n.Text, err)
	}
}

// A plugin can't make anything count for less than it does.
func TestInvalidMessagesAreErrors(t *testing.T) {
	table := []byte(`{"name":"t","columns":[{"name":"id","type":{"kind":"int"}}]}`)
	loss := func(m *pb.Loss) error { _, err := Loss(m); return err }
	unit := func(m *pb.Unit) error { _, err := Unit(m); return err }
	entry := func(m *pb.Entry) error { _, err := Entry(m); return err }
	info := func(m *pb.TableInfo) error { _, err := TableInfo(m); return err }
	digest := func(m *pb.Digest) error { _, err := Digest(m); return err }
	tableOf := func(s string) error { _, err := Table([]byte(s)); return err }
	inventory := func(m *pb.Inventory) error {
		m.End = &pb.End{Items: uint64(len(m.Tables) + len(m.Units))}
		w := &wire[pb.Inventory, *pb.Inventory]{t: t}
		if err := w.send(m); err != nil {
			t.Fatal(err)
		}
		_, err := ReceiveInventory(w.recv)
		return err
	}
	for name, err := range map[string]error{
		"a loss without count":           loss(&pb.Loss{Kind: "row", Path: []byte("db/x"), Reason: "r"}),
		"a negative loss":                loss(&pb.Loss{Kind: "row", Path: []byte("db/x"), Reason: "r", Count: -5}),
		"a loss without kind":            loss(&pb.Loss{Path: []byte("db/x"), Reason: "r", Count: 1}),
		"no loss":                        loss(nil),
		"a unit without id":              unit(&pb.Unit{}),
		"a unit of -1 rows":              unit(&pb.Unit{Id: []byte("u"), Rows: -1}),
		"an entry of -1 bytes":           entry(&pb.Entry{Path: []byte("x"), Size: -1}),
		"an entry's mode":                entry(&pb.Entry{Path: []byte("x"), Mode: 0o100644}),
		"an entry's time":                entry(&pb.Entry{Path: []byte("x"), ModTime: &pb.Time{Nanos: 1e9}}),
		"an entry's user":                entry(&pb.Entry{Path: []byte("x"), Owner: &pb.Owner{Uid: stage.MaxID + 1}}),
		"an entry's group":               entry(&pb.Entry{Path: []byte("x"), Owner: &pb.Owner{Gid: stage.MaxID + 1}}),
		"a table of -1 rows":             info(&pb.TableInfo{Schema: table, Rows: -1}),
		"a proof of -1 rows":             info(&pb.TableInfo{Schema: table, Proof: &pb.Sum{Rows: -1}}),
		"a digest of -1 bytes":           digest(&pb.Digest{Bytes: -1}),
		"a digest of other letters":      digest(&pb.Digest{Sha1: strings.Repeat("G", 40)}),
		"a digest of other length":       digest(&pb.Digest{Sha256: "00"}),
		"no table":                       tableOf(``),
		"a table in two":                 tableOf(string(table) + "{}"),
		"a table without a name":         tableOf(`{"columns":[]}`),
		"two columns of one name":        tableOf(`{"name":"t","columns":[{"name":"a","type":{"kind":"int"}},{"name":"a","type":{"kind":"int"}}]}`),
		"a length below 0":               tableOf(`{"name":"t","columns":[{"name":"a","type":{"kind":"char","length":-1}}]}`),
		"a key of a missing column":      tableOf(`{"name":"t","columns":[],"primary_key":["a"]}`),
		"a sequence of a missing column": tableOf(`{"name":"t","columns":[],"sequence":{"column":"a","next":"1"}}`),
		"an index of a missing column":   tableOf(`{"name":"t","columns":[],"indexes":[{"name":"i","columns":[{"name":"a"}]}]}`),
		"two tables of one name":         inventory(&pb.Inventory{Tables: []*pb.TableInfo{{Schema: table}, {Schema: table}}}),
		"two units of one id":            inventory(&pb.Inventory{Units: []*pb.Unit{{Id: []byte("u"), Part: "site"}, {Id: []byte("u"), Part: "site"}}}),
		"a unit of a missing table":      inventory(&pb.Inventory{Units: []*pb.Unit{{Id: []byte("u"), Part: "db", Table: "x"}}}),
		"a table's unit as files":        inventory(&pb.Inventory{Tables: []*pb.TableInfo{{Schema: table}}, Units: []*pb.Unit{{Id: []byte("u"), Part: "site", Table: "t"}}}),
	} {
		if !errors.Is(err, ErrContract) {
			t.Errorf("%s: %v", name, err)
		}
	}
	newer := strings.Replace(string(table), `"name"`, `"a_newer_field":[1],"name"`, 1)
	if got, err := Table([]byte(newer)); err != nil || !slices.Equal(got.ColumnNames(), []string{"id"}) {
		t.Errorf("a table with a newer field: %+v, %v", got, err)
	}
}
