package run

import (
	"context"

	"github.com/lmsvault/vault/core/stage"
)

// drySink checks as its sink does and then throws away what it gets.
type drySink struct{ stage.Sink }

func (drySink) Begin(context.Context, *stage.Plan) error                   { return nil }
func (drySink) Unit(context.Context, stage.Unit) (stage.UnitWriter, error) { return dryWriter{}, nil }
func (drySink) Finish(context.Context, *stage.Outcome) error               { return nil }
func (drySink) Prove(context.Context) ([]stage.TableProof, error)          { return nil, nil }
func (drySink) Publish(context.Context) error                              { return nil }
func (drySink) Abort(context.Context) error                                { return nil }

type dryWriter struct{}

func (dryWriter) Open(context.Context, stage.Entry) error   { return nil }
func (dryWriter) Write(context.Context, stage.Chunk) error  { return nil }
func (dryWriter) Close(context.Context, stage.Digest) error { return nil }
func (dryWriter) Same(context.Context, stage.Entry) error   { return nil }
func (dryWriter) Drop(context.Context) error                { return nil }
func (dryWriter) Loss(context.Context, stage.Loss) error    { return nil }
func (dryWriter) Commit(context.Context) error              { return nil }
func (dryWriter) Abort(context.Context) error               { return nil }
func (dryWriter) Refused() []stage.Loss                     { return nil }
