package sample

import (
	"cmp"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/stage"
)

// content is one content of filedir, identified by its number and regenerated
// whenever it is read.
type content struct {
	number int64
	size   int64
	hash   string // SHA-1
	name   string // file name with a matching extension
}

// contentKinds are the kinds of files on a learning site.
const (
	plainText = iota // compresses well
	document         // like PDF: packed streams between lines of text
	packed           // pictures, videos, archives: incompressible
	contentKinds
)

var endings = [contentKinds]string{".txt", ".pdf", ".jpg"}

const blockSize = 64 << 10 // each block has its own random stream

// sizeOf divides total among count files: most are small, few are large. Content 0 is
// empty, content 1 is large.
func sizeOf(seed, number, count, total int64) int64 {
	switch number {
	case 0:
		return 0
	case 1:
		return total / 10
	}
	var r random
	r.start(seed, "size", number)
	mean := 0.9 * float64(total) / float64(count)
	u := float64(r.below(1<<20)+1) / (1 << 20)
	return 1 + int64(mean*0.2/(u+0.0067)) // its mean over u is mean
}

func (s *site) kind(number int64) int64 { return (number + number/7) % contentKinds }

// write passes the content to emit in pieces of rows.MaxChunk bytes. It uses buf,
// which it returns for reuse.
func (s *site) write(ctx context.Context, c content, buf []byte, emit func(ctx context.Context, data []byte) error) ([]byte, error) {
	buf = buf[:0]
	for at := int64(0); at < c.size; at += blockSize {
		if len(buf)+blockSize > rows.MaxChunk {
			if err := emit(ctx, buf); err != nil {
				return buf, err
			}
			buf = buf[:0]
		}
		buf = s.block(buf, c.number, at/blockSize, int(min(blockSize, c.size-at)))
	}
	if len(buf) == 0 {
		return buf, nil
	}
	return buf, emit(ctx, buf)
}

func (s *site) block(dst []byte, number, block int64, size int) []byte {
	var r random
	r.start(s.config.Seed, "content", number<<20+block)
	end := len(dst) + size
	dst = slices.Grow(dst, size+64) // a word may extend beyond the end
	switch s.kind(number) {
	case plainText:
		return s.words.prose(dst, &r, size)[:end]
	case packed:
		r.fill(dst[len(dst):end])
		return dst[:end]
	default:
		for i := 0; len(dst) < end; i++ {
			dst = fmt.Appendf(dst, "%%PDF-1.7\n%d 0 obj\n<< /Length 3000 /Filter /FlateDecode >>\nstream\n", i)
			n := len(dst)
			dst = slices.Grow(dst, 4000)[:n+3000]
			r.fill(dst[n:])
			dst = append(dst, "\nendstream\nendobj\n"...)
			dst = s.words.prose(dst, &r, 900)
		}
		return dst[:end]
	}
}

// makeContents generates sizes and hashes of the contents concurrently and sorts them
// by hash.
func (s *site) makeContents(ctx context.Context, count, total int64, workers int) ([]content, error) {
	contents := make([]content, count)
	g, ctx := errgroup.WithContext(ctx)
	for w := range int64(workers) {
		g.Go(func() error {
			var buf []byte
			for n := w; n < count; n += int64(workers) {
				c := content{number: n, size: sizeOf(s.config.Seed, n, count, total), name: fmt.Sprintf("file %d%s", n, endings[s.kind(n)])}
				sum := sha1.New()
				var err error
				buf, err = s.write(ctx, c, buf, func(ctx context.Context, data []byte) error {
					sum.Write(data)
					return ctx.Err()
				})
				if err != nil {
					return err
				}
				c.hash = hex.EncodeToString(sum.Sum(nil))
				contents[n] = c
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return contents, nil
}

// byHash returns the contents in filedir's order.
func byHash(contents []content) []content {
	sorted := slices.Clone(contents)
	slices.SortFunc(sorted, func(a, b content) int { return cmp.Compare(a.hash, b.hash) })
	return slices.CompactFunc(sorted, func(a, b content) bool { return a.hash == b.hash })
}

// fileRows is the number of rows of the table files: one for each content, and
// another one with a different name for every fifth content.
func fileRows(contents int64) int64 { return contents + (contents+4)/5 }

// fileRow makes a row of files.
func fileRow(c *cells, i int64) {
	f := c.contents[i%int64(len(c.contents))]
	copied := i / int64(len(c.contents)) // 0 or 1
	if copied > 0 {
		f = c.contents[i%int64(len(c.contents))*5]
	}
	context, item := 20+i%100, i/100
	component, area, path, name := "mod_resource", "content", "/", f.name
	if f.size == 0 {
		name = "." // Moodle's entry for a directory
	}
	if copied > 0 {
		component, path = "user", "/kopie 日本/"
	}
	sum := sha1.Sum(fmt.Appendf(c.scratch[:0], "/%d/%s/%s/%d%s%s", context, component, area, item, path, name))
	c.int(i + 1)
	c.text(f.hash, hex.EncodeToString(sum[:]))
	c.int(context)
	c.text(component, area)
	c.int(item)
	c.text(path, name)
	c.maybe(10, 2)
	c.int(f.size)
	if f.size == 0 {
		c.null()
	} else {
		c.text([]string{"text/plain", "application/pdf", "image/jpeg"}[c.kind(f.number)])
	}
	c.int(0)
	c.text(f.name, "Zoë Müller")
	c.int(epoch+i, epoch+i)
	c.null()
}

// path returns the content's path in a snapshot.
func (c *content) path() string {
	return stage.Filedir + "/" + c.hash[:2] + "/" + c.hash[2:4] + "/" + c.hash
}
