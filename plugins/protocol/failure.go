package protocol

import (
	"context"
	"errors"
	"strconv"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
)

// Metadata in the trailer that describe an error.
const (
	classKey = "vault-class"
	errorKey = "vault-error"
	laterKey = "vault-temporary" // minimum time to wait, in milliseconds
)

// kind is an error that stages and engine test for with errors.Is.
type kind struct {
	name string
	err  error
	code codes.Code
}

func kinds() []kind {
	return []kind{
		{"not-exist", stage.ErrNotExist, codes.NotFound},
		{"exist", stage.ErrExist, codes.AlreadyExists},
		{"key", stage.ErrKey, codes.PermissionDenied},
		{"other-key", stage.ErrOtherKey, codes.PermissionDenied},
		{"other-readers", stage.ErrOtherReaders, codes.PermissionDenied},
		{"corrupt", stage.ErrCorrupt, codes.DataLoss},
	}
}

// Encode converts an error to the metadata of a call's trailer and a status.
func Encode(err error) (metadata.MD, error) {
	if err == nil {
		return nil, nil
	}
	class := failure.Of(err)
	code := codes.Unknown
	switch {
	case errors.Is(err, context.Canceled):
		code = codes.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		code = codes.DeadlineExceeded
	case class == failure.Usage:
		code = codes.InvalidArgument
	case class == failure.Refused:
		code = codes.FailedPrecondition
	}
	md := metadata.Pairs(classKey, strconv.Itoa(int(class)))
	if after, ok := stage.IsTemporary(err); ok {
		md.Append(laterKey, strconv.FormatInt(after.Milliseconds(), 10))
	}
	for _, k := range kinds() {
		if errors.Is(err, k.err) {
			md.Append(errorKey, k.name)
			code = k.code
		}
	}
	return md, status.Error(code, text(err.Error()))
}

// ErrCanceled is the error of a call that the other side reports as cancelled. It does not
// wrap context.Canceled, because only this side's context says whether this side cancelled
// the call.
var ErrCanceled = errors.New("cancelled in the plugin")

// remote is an error of the other side: its text, class and kinds.
type remote struct {
	text string
	is   []error
}

func (e *remote) Error() string   { return e.text }
func (e *remote) Unwrap() []error { return e.is }

// OfStage reports whether a trailer belongs to an error that a stage returned.
func OfStage(trailer metadata.MD) bool { return len(trailer.Get(classKey)) > 0 }

// Decode is the inverse of Encode. It returns the error of the other side's stage, with a
// text that is safe to print, and without a class that only this side can give. ok is false
// for errors that no stage returned: those of the transport or of a process that is gone.
func Decode(err error, trailer metadata.MD) (_ error, ok bool) {
	s, isStatus := status.FromError(err)
	if !isStatus || err == nil {
		return err, false
	}
	e := &remote{text: shown(s.Message())}
	class := failure.Class(0)
	if v := trailer.Get(classKey); len(v) > 0 {
		n, bad := strconv.Atoi(v[0])
		if c := failure.Class(n); bad == nil && c >= failure.Failed && c <= failure.Unproven {
			class = c
		}
	}
	named := trailer.Get(errorKey)
	for _, k := range kinds() {
		for _, n := range named {
			if n == k.name {
				e.is = append(e.is, k.err)
			}
		}
		if class == 0 && k.code == s.Code() && k.code != codes.PermissionDenied {
			e.is = append(e.is, k.err)
		}
	}
	if s.Code() == codes.Canceled {
		e.is = append(e.is, ErrCanceled)
	}
	if class == 0 {
		switch s.Code() {
		case codes.Unavailable, codes.Internal, codes.ResourceExhausted, codes.Unimplemented:
			return status.Error(s.Code(), e.text), false
		case codes.InvalidArgument:
			class = failure.Usage
		case codes.FailedPrecondition:
			class = failure.Refused
		default:
			class = failure.Failed
		}
	}
	if class == failure.Failed {
		return later(e, trailer), true // failure.Of determines the class
	}
	return later(failure.Wrap(class, e), trailer), true
}

// later marks an error as temporary if its trailer says so.
func later(err error, trailer metadata.MD) error {
	v := trailer.Get(laterKey)
	if len(v) == 0 {
		return err
	}
	const most = 24 * 60 * 60 * 1000 // one day
	ms, bad := strconv.ParseInt(v[0], 10, 64)
	if bad != nil || ms < 0 || ms > most {
		ms = 0
	}
	return stage.Temporary(err, time.Duration(ms)*time.Millisecond)
}
