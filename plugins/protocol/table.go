package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// maxTable is the maximum size of a table's structure in bytes; two of them fit into a
// message.
const maxTable = 7 << 20

// TableMessage returns the structure of a table as JSON.
func TableMessage(t schema.Table) ([]byte, error) {
	if err := words("the name of a table", t.Name); err != nil {
		return nil, err
	}
	data, err := json.Marshal(t)
	switch {
	case err != nil:
		return nil, fmt.Errorf("table %s: %w", t.Name, err)
	case len(data) > maxTable:
		return nil, failure.New(failure.Refused, "table %s: its structure has %d bytes, which exceeds the limit of %d for another process", t.Name, len(data), maxTable)
	case bytes.Contains(data, []byte(`\ufffd`)): // package json writes it for invalid UTF-8
		var back schema.Table
		if err := json.Unmarshal(data, &back); err != nil {
			return nil, fmt.Errorf("table %s: %w", t.Name, err)
		}
		if again, err := json.Marshal(back); err != nil || !bytes.Equal(data, again) {
			return nil, failure.New(failure.Refused, "table %s: a name, a default or another text in its structure is not UTF-8 and can't be sent to another process", t.Name)
		}
	}
	return data, nil
}

// Table is the inverse of TableMessage. Fields added by a newer version are ignored; an
// invalid table is ErrContract.
func Table(data []byte) (t schema.Table, err error) {
	if len(data) > maxTable {
		return t, broken("the structure of a table has %d bytes, the limit is %d", len(data), maxTable)
	}
	if err := json.Unmarshal(data, &t); err != nil {
		return schema.Table{}, broken("structure of a table: %w", err)
	}
	if err := soundTable(&t); err != nil {
		return schema.Table{}, broken("table %q: %w", t.Name, err)
	}
	return t, nil
}

func soundTable(t *schema.Table) error {
	if t.Name == "" {
		return errors.New("it has no name")
	}
	seen := make(map[string]bool, len(t.Columns))
	for _, c := range t.Columns {
		switch {
		case c.Name == "" || seen[c.Name]:
			return fmt.Errorf("column %q has no name or a duplicate one", c.Name)
		case c.Type.Kind == "":
			return fmt.Errorf("column %s has no type", c.Name)
		case min(c.Type.Size, c.Type.Length, c.Type.Scale) < 0:
			return fmt.Errorf("column %s has a size below 0", c.Name)
		}
		seen[c.Name] = true
	}
	for _, name := range t.PrimaryKey {
		if !seen[name] {
			return fmt.Errorf("its primary key names the missing column %q", name)
		}
	}
	if k := t.PrimaryKeyIndex; k != nil {
		for _, name := range k.Include {
			if !seen[name] {
				return fmt.Errorf("its primary key includes the missing column %q", name)
			}
		}
	}
	for _, x := range t.Indexes {
		for _, c := range x.Columns {
			if x.Native == "" && !seen[c.Name] || c.Prefix < 0 {
				return fmt.Errorf("its index %s names the missing column %q or a negative length", x.Name, c.Name)
			}
		}
	}
	if s := t.Sequence; s != nil && (!seen[s.Column] || s.Next == 0) {
		return fmt.Errorf("its sequence of column %q with next value %d is invalid", s.Column, s.Next)
	}
	return nil
}

// TableInfoMessage converts a table of an inventory or plan to a message.
func TableInfoMessage(t stage.TableInfo) (*pb.TableInfo, error) {
	data, err := TableMessage(t.Schema)
	if err != nil {
		return nil, err
	}
	m := &pb.TableInfo{Schema: data, Rows: t.Rows, Bytes: t.Bytes}
	if t.Proof != nil {
		m.Proof = SumMessage(*t.Proof)
	}
	return m, nil
}

// TableInfo is the inverse of TableInfoMessage.
func TableInfo(m *pb.TableInfo) (t stage.TableInfo, err error) {
	if t.Schema, err = Table(m.GetSchema()); err != nil {
		return t, err
	}
	t.Rows, t.Bytes = m.Rows, m.Bytes
	if m.Proof != nil {
		sum, err := Sum(m.Proof)
		if err != nil {
			return t, err
		}
		t.Proof = &sum
	}
	return t, natural("table "+t.Schema.Name, t.Rows, t.Bytes)
}

// SumMessage converts the proof of rows to a message.
func SumMessage(s rows.Sum) *pb.Sum { return &pb.Sum{Rows: s.Rows, Low: s.Lo, High: s.Hi} }

// Sum is the inverse of SumMessage.
func Sum(m *pb.Sum) (rows.Sum, error) {
	return rows.Sum{Rows: m.GetRows(), Lo: m.GetLow(), Hi: m.GetHigh()}, natural("a proof", m.GetRows())
}

// TableProofMessage converts what was read of a table to a message.
func TableProofMessage(p stage.TableProof) (*pb.TableProof, error) {
	data, err := TableMessage(p.Schema)
	if err != nil {
		return nil, err
	}
	losses, err := each(p.Losses, LossMessage)
	return &pb.TableProof{Schema: data, Sum: SumMessage(p.Sum), Losses: losses}, err
}

// TableProof is the inverse of TableProofMessage.
func TableProof(m *pb.TableProof) (p stage.TableProof, err error) {
	if p.Schema, err = Table(m.GetSchema()); err != nil {
		return p, err
	}
	if p.Sum, err = Sum(m.Sum); err != nil {
		return p, err
	}
	p.Losses, err = each(m.Losses, Loss)
	return p, err
}

// MappedMessage converts the result of RecordTransform.Table to a message.
func MappedMessage(t stage.Mapped) (m *pb.Mapped, err error) {
	m = &pb.Mapped{Rewrite: t.Rewrite, Adds: t.Adds}
	if m.From, err = TableMessage(t.From); err != nil {
		return nil, err
	}
	if m.Schema, err = TableMessage(t.Schema); err != nil {
		return nil, err
	}
	if m.Losses, err = each(t.Losses, LossMessage); err != nil {
		return nil, err
	}
	m.Notes, err = each(t.Notes, NoteMessage)
	return m, err
}

// Mapped is the inverse of MappedMessage; table is Table, or a cached version of it.
func Mapped(m *pb.Mapped, table func([]byte) (schema.Table, error)) (t stage.Mapped, err error) {
	t.Rewrite, t.Adds = m.GetRewrite(), m.GetAdds()
	if t.From, err = table(m.GetFrom()); err != nil {
		return t, err
	}
	if t.Schema, err = table(m.GetSchema()); err != nil {
		return t, err
	}
	if t.Losses, err = each(m.Losses, Loss); err != nil {
		return t, err
	}
	t.Notes, err = each(m.Notes, Note)
	return t, err
}
