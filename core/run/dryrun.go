package run

import (
	"context"

	"github.com/lmsvault/vault/core/stage"
)

// drySink runs its sink's checks and discards everything written to it.
type drySink struct{ stage.Sink }

func (drySink) Begin(context.Context, *stage.Plan) error                     { return nil }
func (drySink) WriteRows(context.Context, stage.Unit) (stage.RowUnit, error) { return &dryRows{}, nil }
func (drySink) WriteFiles(context.Context, stage.Unit) (stage.FileUnit, error) {
	return dryFiles{}, nil
}
func (drySink) Finish(context.Context, *stage.Outcome) error      { return nil }
func (drySink) Prove(context.Context) ([]stage.TableProof, error) { return nil, nil }
func (drySink) Publish(context.Context) error                     { return nil }
func (drySink) Abort(context.Context) error                       { return nil }

type dryRows struct{ rows int64 }

func (u *dryRows) Write(_ context.Context, c stage.Chunk) error {
	u.rows += int64(c.Rows)
	return nil
}

func (*dryRows) Loss(context.Context, stage.Loss) error { return nil }
func (*dryRows) Abort(context.Context) error            { return nil }

func (u *dryRows) Commit(context.Context) (*stage.Receipt, error) {
	return &stage.Receipt{Rows: u.rows}, nil
}

type dryFiles struct{}

func (dryFiles) Open(context.Context, stage.Entry) error        { return nil }
func (dryFiles) Write(context.Context, []byte) error            { return nil }
func (dryFiles) Close(context.Context, stage.Digest) error      { return nil }
func (dryFiles) Same(context.Context, stage.Entry) error        { return nil }
func (dryFiles) Drop(context.Context) error                     { return nil }
func (dryFiles) Loss(context.Context, stage.Loss) error         { return nil }
func (dryFiles) Abort(context.Context) error                    { return nil }
func (dryFiles) Commit(context.Context) (*stage.Receipt, error) { return &stage.Receipt{}, nil }
