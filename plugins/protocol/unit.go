package protocol

import (
	"fmt"

	"github.com/lmsvault/vault/core/stage"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// UnitMessage converts a unit to a message.
func UnitMessage(u stage.Unit) (*pb.Unit, error) {
	if err := words(fmt.Sprintf("part or table of unit %q", u.ID), u.Part, u.Table); err != nil {
		return nil, err
	}
	return &pb.Unit{Id: []byte(u.ID), Part: u.Part, Table: u.Table, Spec: []byte(u.Spec), Rows: u.Rows, Bytes: u.Bytes}, nil
}

// Unit is the inverse of UnitMessage.
func Unit(m *pb.Unit) (stage.Unit, error) {
	u := stage.Unit{
		ID: string(m.GetId()), Part: m.GetPart(), Table: m.GetTable(), Spec: string(m.GetSpec()),
		Rows: m.GetRows(), Bytes: m.GetBytes(),
	}
	if u.ID == "" {
		return u, broken("a unit has no ID")
	}
	return u, natural("unit "+u.ID, u.Rows, u.Bytes)
}
