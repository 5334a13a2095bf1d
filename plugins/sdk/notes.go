package sdk

import (
	"context"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/protocol"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

func (s *sourceServer) Notes(ctx context.Context, r *pb.NotesRequest) (*pb.NotesResponse, error) {
	return s.notes(ctx, r)
}

func (s *sinkServer) Notes(ctx context.Context, r *pb.NotesRequest) (*pb.NotesResponse, error) {
	return s.notes(ctx, r)
}

// notes returns the notes of a source or sink.
func (s *server) notes(ctx context.Context, r *pb.NotesRequest) (*pb.NotesResponse, error) {
	made, leave, err := enter[stage.Noter](s, r.Instance)
	if err != nil {
		return nil, err
	}
	defer leave()
	notes, err := made.Notes(ctx)
	if err != nil {
		return nil, err
	}
	answer := &pb.NotesResponse{}
	for _, n := range notes {
		m, err := protocol.NoteMessage(n)
		if err != nil {
			return nil, err
		}
		answer.Notes = append(answer.Notes, m)
	}
	return answer, nil
}
