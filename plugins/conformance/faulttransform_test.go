package conformance

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"slices"
	"testing"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// xor is a correct byte transform, except for the named fault.
type xor struct {
	*plugged
	born  int
	fault string
}

// mask is the value that bytes are XORed with.
var mask = [16 << 10]byte{0: 0x55, 1: 0xaa, 16<<10 - 1: 1}

// pass appends src transformed piece by piece, unless the process is killed meanwhile.
func (x xor) pass(ctx context.Context, dst, src []byte) ([]byte, error) {
	if x.fault == "does not append" {
		dst = nil
	}
	dst = slices.Grow(dst, len(src))
	for piece := range slices.Chunk(src, 16<<10) {
		switch {
		case x.life() != x.born && x.fault == "accepts partial data":
			return dst, nil
		case x.life() != x.born:
			return dst, errGone
		case ctx.Err() != nil:
			return dst, ctx.Err()
		}
		dst = append(dst, piece...)
		subtle.XORBytes(dst[len(dst)-len(piece):], piece, mask[:])
	}
	if x.fault == "changes its input" {
		clear(src)
	}
	return dst, nil
}

func (x xor) Apply(ctx context.Context, dst, src []byte, _ string) ([]byte, error) {
	if x.fault == "loses large content" {
		src = src[:min(len(src), 4<<20)]
	}
	return x.pass(ctx, dst, src)
}

func (x xor) Invert(ctx context.Context, dst, src []byte, _ string, limit int) ([]byte, error) {
	if len(src) > limit && x.fault != "ignores the limit" {
		return dst, errors.New("too large")
	}
	return x.pass(ctx, dst, src)
}

func bytesSuite(fault string) []Check {
	process := &plugged{}
	return BytesChecks(BytesFixture{
		Open:    func(testing.TB) stage.ByteTransform { return xor{process, process.life(), fault} },
		Process: process, effort: little,
	})
}

// sealed is a correct Keyed transform with authentication, except for the named fault.
type sealed struct {
	secret string
	fault  string
	nth    byte
	key    []byte
	spoilt bool // by a header that it could not open
}

func (s *sealed) tag(src []byte, name string) []byte {
	if s.fault == "ignores the name" {
		name = ""
	}
	key := s.key
	if s.fault == "another key every time" {
		key = append(key, s.nth)
	}
	h := hmac.New(sha256.New, key)
	h.Write(append([]byte(name+"\x00"), src...))
	return h.Sum(nil)
}

func (s *sealed) Apply(ctx context.Context, dst, src []byte, name string) ([]byte, error) {
	return append(append(dst, s.tag(src, name)...), src...), ctx.Err()
}

func (s *sealed) Invert(ctx context.Context, dst, src []byte, name string, limit int) ([]byte, error) {
	if len(src) < sha256.Size || len(src) > limit+sha256.Size {
		return dst, errors.New("no size of a blob")
	}
	tag, content := src[:sha256.Size], src[sha256.Size:]
	if s.fault != "ignores the tag" && !hmac.Equal(tag, s.tag(content, name)) {
		return dst, stage.ErrCorrupt
	}
	return append(dst, content...), ctx.Err()
}

func (s *sealed) CanOpen() bool { return true }

func (s *sealed) Create(context.Context) ([]byte, error) {
	s.key = []byte("key of " + s.secret)
	sum := sha256.Sum256(s.key)
	return sum[:], nil
}

func (s *sealed) Open(ctx context.Context, header []byte) (err error) {
	var want []byte
	want, err = s.Create(ctx)
	defer func() {
		if s.fault == "is spoilt by a wrong header" && (err != nil || s.spoilt) {
			s.key, s.spoilt = nil, true
		}
	}()
	if len(header) > len(want) && bytes.Equal(header[:len(want)], want) { // shared
		s.key = bytes.Clone(header[len(want):])
		return err
	}
	switch {
	case len(header) < len(want) && s.fault != "any header opens":
		return stage.ErrCorrupt
	case !bytes.Equal(header, want) && s.fault != "any header opens" && s.fault != "any key opens":
		return stage.ErrKey
	}
	return err
}

func (s *sealed) Share(ctx context.Context, with stage.ByteTransform, headers [][]byte) ([]byte, error) {
	friend := with.(*sealed)
	sum, err := (&sealed{secret: friend.secret}).Create(ctx)
	for _, h := range headers {
		if bytes.HasPrefix(h, sum) && s.fault != "shares twice" {
			return nil, stage.ErrExist
		}
	}
	key := s.key
	if s.fault == "shares another key" {
		key = []byte("another")
	}
	return append(sum, key...), err
}

func (s *sealed) Readers([]byte) (string, error) {
	if s.fault == "does not say whom" {
		return "", nil
	}
	return "somebody", nil
}

func sealedSuite(fault string) []Check {
	var nth byte
	with := func(secret string) func(testing.TB) stage.ByteTransform {
		return func(testing.TB) stage.ByteTransform {
			nth++
			return &sealed{secret: secret, fault: fault, nth: nth}
		}
	}
	return BytesChecks(BytesFixture{Open: with("right"), Stranger: with("wrong"), Friend: with("friend"), effort: little})
}

// copied is a correct record transform that changes nothing, except for the named fault.
type copied struct {
	*plugged
	born  int
	fault string
}

func (c copied) Table(ctx context.Context, t schema.Table, _ string) (stage.Mapped, error) {
	return stage.Mapped{From: t, Schema: t}, ctx.Err()
}

func (c copied) Rows(ctx context.Context, _ stage.Mapped, dst []byte, given stage.Chunk) ([]byte, int, error) {
	start := len(dst)
	out, err := c.rows(ctx, dst, given.Data)
	kept := bytes.Count(out[min(start, len(out)):], []byte{'\n'})
	if c.fault == "counts lost rows" {
		kept = given.Rows
	}
	return out, kept, err
}

func (c copied) rows(ctx context.Context, dst, data []byte) ([]byte, error) {
	switch c.fault {
	case "does not append":
		dst = nil
	case "loses large content":
		if len(data) > 1<<20 && bytes.Count(data, []byte{'\n'}) == 1 {
			return dst, nil
		}
	}
	for n := 0; ; n++ {
		row, rest, ok, err := rows.Next(data)
		switch {
		case err != nil:
			return dst, err
		case !ok:
			return dst, ctx.Err()
		case c.life() != c.born && c.fault == "accepts partial data":
			return dst, nil
		case c.life() != c.born:
			return dst, errGone
		}
		data = rest
		if (c.fault == "loses a row" || c.fault == "counts lost rows") && n == 1 {
			continue
		}
		dst = append(append(dst, row...), '\n')
		if at := len(dst) - 2; c.fault == "changes rows silently" && len(row) > 0 && dst[at] == 'm' {
			dst[at] = 'x'
		}
	}
}

func recordSuite(fault string) []Check {
	process := &plugged{}
	return RecordChecks(RecordFixture{
		Open:   func(testing.TB) stage.RecordTransform { return copied{process, process.life(), fault} },
		Tables: []TableRows{sampleConfig(), sampleLog()}, Targets: []string{"", "mysql"}, Process: process, effort: little,
	})
}
