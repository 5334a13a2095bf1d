package host

import (
	"context"

	"google.golang.org/grpc"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/protocol"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// Notes returns the notes of the plugin, if it supports them.
func (s *source) Notes(ctx context.Context) ([]stage.Note, error) {
	return s.notes(ctx, func(c grpc.ClientConnInterface, r *pb.NotesRequest) (*pb.NotesResponse, error) {
		return pb.NewSourceClient(c).Notes(ctx, r)
	})
}

// Notes returns the notes of the plugin, if it supports them.
func (s sink) Notes(ctx context.Context) ([]stage.Note, error) {
	return s.notes(ctx, func(c grpc.ClientConnInterface, r *pb.NotesRequest) (*pb.NotesResponse, error) {
		return pb.NewSinkClient(c).Notes(ctx, r)
	})
}

func (i *instance) notes(ctx context.Context, ask func(grpc.ClientConnInterface, *pb.NotesRequest) (*pb.NotesResponse, error)) (notes []stage.Note, err error) {
	if !i.has("notes") {
		return nil, nil
	}
	err = i.do(ctx, func(c grpc.ClientConnInterface, id uint64) error {
		r, err := ask(c, &pb.NotesRequest{Instance: id})
		if err != nil {
			return err
		}
		for _, m := range r.Notes {
			n, err := protocol.Note(m)
			if err != nil {
				return i.blame("notes", err)
			}
			n.Text = i.hidden(n.Text)
			notes = append(notes, n)
		}
		return nil
	})
	return notes, err
}
