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

// maxTable is the most bytes of a table's structure: two of them fit a message.
const maxTable = 7 << 20

// TableMessage is the structure of a table as JSON.
func TableMessage(t schema.Table) ([]byte, error) {
	if err := words("the name of a table", t.Name); err != nil {
		return nil, err
	}
	data, err := json.Marshal(t)
	switch {
	case err != nil:
		return nil, fmt.Errorf("table %s: %w", t.Name, err)
	case len(data) > maxTable:
		return nil, failure.New(failure.Refused, "table %s: its structure takes %d bytes, and no more than %d can be told to another process", t.Name, len(data), maxTable)
	case bytes.Contains(data, []byte(`\ufffd`)): // how package json writes what is not UTF-8
		var back schema.Table
		if err := json.Unmarshal(data, &back); err != nil {
			return nil, fmt.Errorf("table %s: %w", t.Name, err)
		}
		if again, err := json.Marshal(back); err != nil || !bytes.Equal(data, again) {
			return nil, failure.New(failure.Refused, "table %s: a name, a default or another text of its structure is not UTF-8, and can't be told to another process", t.Name)
		}
	}
	return data, nil
}

// Table is the inverse of TableMessage. What a newer side has added to a table is
// left out; what makes no table is ErrContract.
func Table(data []byte) (t schema.Table, err error) {
	if len(data) > maxTable {
		return t, broken("the structure of a table takes %d bytes, at most %d may come", len(data), maxTable)
	}
	if err := json.Unmarshal(data, &t); err != nil {
		return schema.Table{}, broken("the structure of a table: %w", err)
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
			return fmt.Errorf("column %q has no name or that of another", c.Name)
		case c.Type.Kind == "":
			return fmt.Errorf("column %s has no type", c.Name)
		case min(c.Type.Size, c.Type.Length, c.Type.Scale) < 0:
			return fmt.Errorf("column %s has a size below 0", c.Name)
		}
		seen[c.Name] = true
	}
	for _, name := range t.PrimaryKey {
		if !seen[name] {
			return fmt.Errorf("its primary key names the column %q, which it doesn't have", name)
		}
	}
	if k := t.PrimaryKeyIndex; k != nil {
		for _, name := range k.Include {
			if !seen[name] {
				return fmt.Errorf("its primary key includes the column %q, which it doesn't have", name)
			}
		}
	}
	for _, x := range t.Indexes {
		for _, c := range x.Columns {
			if x.Native == "" && !seen[c.Name] || c.Prefix < 0 {
				return fmt.Errorf("its index %s names %q, which is no column of it, or a length below 0", x.Name, c.Name)
			}
		}
	}
	if s := t.Sequence; s != nil && (!seen[s.Column] || s.Next == 0) {
		return fmt.Errorf("its sequence of column %q, with %d as next value, can't be one", s.Column, s.Next)
	}
	return nil
}

// TableInfoMessage is a table of an inventory or plan.
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

// SumMessage is a proof of rows.
func SumMessage(s rows.Sum) *pb.Sum { return &pb.Sum{Rows: s.Rows, Low: s.Lo, High: s.Hi} }

// Sum is the inverse of SumMessage.
func Sum(m *pb.Sum) (rows.Sum, error) {
	return rows.Sum{Rows: m.GetRows(), Lo: m.GetLow(), Hi: m.GetHigh()}, natural("a proof", m.GetRows())
}

// TableProofMessage is what was read of a table.
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

// MappedMessage is a table after a transform of rows.
func MappedMessage(t stage.Mapped) (m *pb.Mapped, err error) {
	m = &pb.Mapped{Rewrite: t.Rewrite}
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

// Mapped is the inverse of MappedMessage; table is Table, or a memory of it.
func Mapped(m *pb.Mapped, table func([]byte) (schema.Table, error)) (t stage.Mapped, err error) {
	t.Rewrite = m.GetRewrite()
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
