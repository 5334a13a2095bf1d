package stage

import (
	"context"
	"errors"
	"fmt"

	"github.com/lmsvault/vault/core/schema"
)

// The Unimplemented types implement the contracts with methods that return
// errors.ErrUnsupported, wrapped, except Close, which does nothing. A stage that embeds the
// type of its role still compiles when the contract gets a new method, and need not
// implement methods that are never called on it. They have none of the optional methods,
// because Vault uses those to find out what a stage can do.
type (
	// UnimplementedSource is embedded by sources.
	UnimplementedSource struct{}
	// UnimplementedSink is embedded by sinks.
	UnimplementedSink struct{}
	// UnimplementedStorage is embedded by storages.
	UnimplementedStorage struct{}
	// UnimplementedRecordTransform is embedded by transforms of rows.
	UnimplementedRecordTransform struct{}
	// UnimplementedByteTransform is embedded by transforms of bytes.
	UnimplementedByteTransform struct{}
	// UnimplementedAction is embedded by actions.
	UnimplementedAction struct{}
)

var (
	_ Source          = UnimplementedSource{}
	_ Sink            = UnimplementedSink{}
	_ Storage         = UnimplementedStorage{}
	_ RecordTransform = UnimplementedRecordTransform{}
	_ ByteTransform   = UnimplementedByteTransform{}
	_ Action          = UnimplementedAction{}
)

func unimplemented(method string) error {
	return fmt.Errorf("the stage has no %s: %w", method, errors.ErrUnsupported)
}

// Run implements Action.
func (UnimplementedAction) Run(context.Context, ActionRequest) (ActionReport, error) {
	return ActionReport{}, unimplemented("Run")
}

func (UnimplementedSource) Plan(context.Context, PlanRequest) (*Inventory, error) {
	return nil, unimplemented("Plan")
}

func (UnimplementedSource) Close(context.Context) error { return nil }

func (UnimplementedSink) Check(context.Context, *Plan) (Findings, error) {
	return Findings{}, unimplemented("Check")
}

func (UnimplementedSink) Begin(context.Context, *Plan) error { return unimplemented("Begin") }

func (UnimplementedSink) Finish(context.Context, *Outcome) error { return unimplemented("Finish") }

func (UnimplementedSink) Prove(context.Context) ([]TableProof, error) {
	return nil, unimplemented("Prove")
}

func (UnimplementedSink) Publish(context.Context) error { return unimplemented("Publish") }

func (UnimplementedSink) Abort(context.Context) error { return unimplemented("Abort") }

func (UnimplementedSink) Close(context.Context) error { return nil }

func (UnimplementedStorage) Put(context.Context, string, []byte) error { return unimplemented("Put") }

func (UnimplementedStorage) Get(_ context.Context, dst []byte, _ string, _, _ int64) ([]byte, error) {
	return dst, unimplemented("Get")
}

func (UnimplementedStorage) List(context.Context, string, func(Object) error) error {
	return unimplemented("List")
}

func (UnimplementedStorage) Delete(context.Context, string) error { return unimplemented("Delete") }

func (UnimplementedStorage) Stat(context.Context, string) (Object, error) {
	return Object{}, unimplemented("Stat")
}

func (UnimplementedStorage) Close(context.Context) error { return nil }

func (UnimplementedRecordTransform) Table(context.Context, schema.Table, string) (Mapped, error) {
	return Mapped{}, unimplemented("Table")
}

func (UnimplementedRecordTransform) Rows(_ context.Context, _ Mapped, dst []byte, _ Chunk) ([]byte, int, error) {
	return dst, 0, unimplemented("Rows")
}

func (UnimplementedByteTransform) Apply(_ context.Context, dst, _ []byte, _ string) ([]byte, error) {
	return dst, unimplemented("Apply")
}

func (UnimplementedByteTransform) Invert(_ context.Context, dst, _ []byte, _ string, _ int) ([]byte, error) {
	return dst, unimplemented("Invert")
}
