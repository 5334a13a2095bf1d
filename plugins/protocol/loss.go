package protocol

import (
	"fmt"

	"github.com/lmsvault/vault/core/stage"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// LossMessage converts a loss, without its row, to a message.
func LossMessage(l stage.Loss) (*pb.Loss, error) {
	if err := words(fmt.Sprintf("the kind of the loss of %q", l.Path), string(l.Kind)); err != nil {
		return nil, err
	}
	return &pb.Loss{Kind: string(l.Kind), Path: []byte(l.Path), Where: text(l.Where), Reason: text(l.Reason), Count: l.Count}, nil
}

// Loss is the inverse of LossMessage. A count below 1 is ErrContract.
func Loss(m *pb.Loss) (stage.Loss, error) {
	l := stage.Loss{
		Kind: stage.LossKind(m.GetKind()), Path: string(m.GetPath()), Where: m.GetWhere(), Reason: m.GetReason(), Count: m.GetCount(),
	}
	if l.Kind == "" || l.Path == "" || l.Reason == "" || l.Count < 1 {
		return l, broken("a loss lacks kind, path, reason or count: kind %q, path %q, reason %q, count %d", l.Kind, l.Path, l.Reason, l.Count)
	}
	return l, nil
}

// NoteMessage converts a note to a message.
func NoteMessage(n stage.Note) (*pb.Note, error) {
	return &pb.Note{Path: []byte(n.Path), Text: text(n.Text)}, nil
}

// Note is the inverse of NoteMessage.
func Note(m *pb.Note) (stage.Note, error) {
	return stage.Note{Path: string(m.GetPath()), Text: m.GetText()}, nil
}
