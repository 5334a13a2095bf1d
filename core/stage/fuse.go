package stage

import "context"

// Fuser is a ByteTransform that shares a process with others: what it makes
// need not leave that process to go through the next. It is optional.
type Fuser interface {
	ByteTransform
	// Fuse returns one transform that does what this one and then next do; false
	// if they can't be one.
	Fuse(next ByteTransform) (ByteTransform, bool)
}

// Fuse makes neighbours of a chain one where they can be. The chain stays as it is.
func Fuse(chain []ByteTransform) []ByteTransform {
	var fused []ByteTransform
	for _, t := range chain {
		if n := len(fused); n > 0 {
			if f, ok := fused[n-1].(Fuser); ok {
				if both, ok := f.Fuse(t); ok {
					fused[n-1] = both
					continue
				}
			}
		}
		fused = append(fused, t)
	}
	return fused
}

// Assembler is a Storage that shares a process with byte transforms: what they
// make can stay there until it is put. It is optional.
type Assembler interface {
	Storage
	// Holder returns t as one whose results this storage holds; false if it can't.
	Holder(t ByteTransform) (Holder, bool)
	// Assemble is Put of an object that is made of pieces. Held ones are gone
	// when it returns nil, and all with Close.
	Assemble(ctx context.Context, name string, pieces []Piece) error
}

// Holder is a ByteTransform whose results stay with a storage. It is safe for
// concurrent use.
type Holder interface {
	// Hold is Apply, but gives only the result's size and ticket.
	Hold(ctx context.Context, src []byte, place string) (Piece, error)
}

// Piece is a part of an object: Data, or what is held under Ticket.
type Piece struct {
	Data   []byte
	Ticket uint64 // 0: Data
	Size   int    // of what is held
}

// Len is the size of the piece in bytes.
func (p Piece) Len() int {
	if p.Ticket != 0 {
		return p.Size
	}
	return len(p.Data)
}
