package protocol

import (
	"cmp"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/lmsvault/vault/core/stage"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// SendInventory sends the result of Source.Plan.
func SendInventory(i *stage.Inventory, send func(*pb.Inventory) error) error {
	b := newBatch(send)
	if err := words("the location or the snapshot", i.Location, i.Snapshot); err != nil {
		return err
	}
	b.next.Session, b.next.Location, b.next.Snapshot = i.Session, i.Location, i.Snapshot
	for name, value := range i.Facts {
		f, err := facts(map[string]string{name: value})
		if err != nil {
			return err
		}
		err = b.item(proto.Size(&pb.Inventory{Facts: f}), func(m *pb.Inventory) {
			if m.Facts == nil {
				m.Facts = map[string][]byte{}
			}
			m.Facts[name] = f[name]
		})
		if err != nil {
			return err
		}
	}
	if err := fill(b, i.Tables, TableInfoMessage, func(m *pb.Inventory, t *pb.TableInfo) { m.Tables = append(m.Tables, t) }); err != nil {
		return err
	}
	if err := fill(b, i.Units, UnitMessage, func(m *pb.Inventory, u *pb.Unit) { m.Units = append(m.Units, u) }); err != nil {
		return err
	}
	if err := fill(b, i.Losses, LossMessage, func(m *pb.Inventory, l *pb.Loss) { m.Losses = append(m.Losses, l) }); err != nil {
		return err
	}
	if err := fill(b, i.Recorded, LossMessage, func(m *pb.Inventory, l *pb.Loss) { m.Recorded = append(m.Recorded, l) }); err != nil {
		return err
	}
	if err := fill(b, i.Notes, NoteMessage, func(m *pb.Inventory, n *pb.Note) { m.Notes = append(m.Notes, n) }); err != nil {
		return err
	}
	if err := fill(b, i.Excluded, ExcludedMessage, func(m *pb.Inventory, x *pb.Excluded) { m.Excluded = append(m.Excluded, x) }); err != nil {
		return err
	}
	return b.end(func(m *pb.Inventory, e *pb.End) { m.End = e })
}

// ReceiveInventory is the inverse of SendInventory. Duplicate tables or units, and units of
// unknown tables, are ErrContract.
func ReceiveInventory(recv func() (*pb.Inventory, error)) (*stage.Inventory, error) {
	i := &stage.Inventory{}
	err := Receive(recv, func(m *pb.Inventory, t *Tally) error {
		if m.Session != nil {
			i.Session = m.Session
		}
		i.Location, i.Snapshot = cmp.Or(i.Location, m.Location), cmp.Or(i.Snapshot, m.Snapshot)
		t.Items(len(m.Facts))
		i.Facts = withFacts(i.Facts, m.Facts)
		if err := take(t, &i.Tables, m.Tables, TableInfo); err != nil {
			return err
		}
		if err := take(t, &i.Units, m.Units, Unit); err != nil {
			return err
		}
		if err := take(t, &i.Losses, m.Losses, Loss); err != nil {
			return err
		}
		if err := take(t, &i.Recorded, m.Recorded, Loss); err != nil {
			return err
		}
		if err := take(t, &i.Notes, m.Notes, Note); err != nil {
			return err
		}
		return take(t, &i.Excluded, m.Excluded, Excluded)
	})
	if err == nil {
		err = check(i)
	}
	if err != nil {
		return nil, err
	}
	return i, nil
}

func check(i *stage.Inventory) error {
	tables := make(map[string]bool, len(i.Tables))
	for _, t := range i.Tables {
		if tables[t.Schema.Name] {
			return broken("table %s is planned twice", t.Schema.Name)
		}
		tables[t.Schema.Name] = true
	}
	ids := make(map[string]bool, len(i.Units))
	for _, u := range i.Units {
		switch {
		case ids[u.ID]:
			return broken("unit %s is planned twice", u.ID)
		case tables[u.Table] != (u.Part == stage.DB):
			return broken("unit %s of part %q has the table %q", u.ID, u.Part, u.Table)
		}
		ids[u.ID] = true
	}
	return nil
}

func facts(all map[string]string) (map[string][]byte, error) {
	if len(all) == 0 {
		return nil, nil
	}
	m := make(map[string][]byte, len(all))
	for name, value := range all {
		if err := words("the name of a fact", name); err != nil {
			return nil, fmt.Errorf("facts: %w", err)
		}
		m[name] = []byte(value)
	}
	return m, nil
}

// withFacts adds received facts to a map, which may be nil.
func withFacts(to map[string]string, m map[string][]byte) map[string]string {
	if to == nil && len(m) > 0 {
		to = make(map[string]string, len(m))
	}
	for name, value := range m {
		to[name] = string(value)
	}
	return to
}
