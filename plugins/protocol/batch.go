package protocol

import (
	"google.golang.org/protobuf/proto"

	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// batchSize is the size of the items in a message, in bytes, unless a single item is
// larger.
const batchSize = 128 << 10

// batch packs many items into few messages of a stream.
type batch[M any] struct {
	send  func(*M) error
	next  *M
	size  int
	tally Tally
}

func newBatch[M any](send func(*M) error) *batch[M] { return &batch[M]{send: send, next: new(M)} }

// item adds an item of the given size; put adds it to a message.
func (b *batch[M]) item(size int, put func(*M)) error {
	if b.size > 0 && b.size+size > batchSize {
		if err := b.send(b.next); err != nil {
			return err
		}
		b.next, b.size = new(M), 0
	}
	put(b.next)
	b.size += size
	b.tally.Items(1)
	return nil
}

// end sends the remaining items with the end of the stream.
func (b *batch[M]) end(put func(*M, *pb.End)) error {
	put(b.next, b.tally.End())
	return b.send(b.next)
}

// fill adds all items of a list.
func fill[M, T any, P proto.Message](b *batch[M], items []T, convert func(T) (P, error), put func(*M, P)) error {
	for _, i := range items {
		p, err := convert(i)
		if err != nil {
			return err
		}
		if err := b.item(proto.Size(p), func(m *M) { put(m, p) }); err != nil {
			return err
		}
	}
	return nil
}

// take appends the items of a message to a list and counts them.
func take[T any, P proto.Message](t *Tally, dst *[]T, items []P, convert func(P) (T, error)) error {
	t.Items(len(items))
	more, err := each(items, convert)
	*dst = append(*dst, more...)
	return err
}
