package sample

import (
	"strconv"

	"github.com/lmsvault/vault/core/rows"
)

// cells appends the cells of rows to a buffer. It is not safe for concurrent use.
type cells struct {
	random
	*site
	out     *rows.Builder
	started bool // the row has a cell already
	scratch []byte
}

func (c *cells) tab() {
	if c.started {
		c.out.Buf = append(c.out.Buf, '\t')
	}
	c.started = true
}

func (c *cells) null() {
	c.tab()
	c.out.Buf = append(c.out.Buf, rows.Null...)
}

func (c *cells) int(values ...int64) {
	for _, v := range values {
		c.tab()
		c.out.Buf = strconv.AppendInt(c.out.Buf, v, 10)
	}
}

// raw appends canonical texts that need no escaping, such as numbers.
func (c *cells) raw(values ...string) {
	for _, v := range values {
		c.tab()
		c.out.Buf = append(c.out.Buf, v...)
	}
}

func (c *cells) text(values ...string) {
	for _, v := range values {
		c.tab()
		c.out.Buf = rows.AppendText(c.out.Buf, v)
	}
}

// decimal appends v/10^scale.
func (c *cells) decimal(v int64, scale int) {
	c.tab()
	if v < 0 {
		c.out.Buf, v = append(c.out.Buf, '-'), -v
	}
	unit := int64(1)
	for range scale {
		unit *= 10
	}
	c.out.Buf = strconv.AppendInt(c.out.Buf, v/unit, 10)
	c.out.Buf = append(c.out.Buf, '.')
	fraction := strconv.AppendInt(c.scratch[:0], unit+v%unit, 10)
	c.out.Buf, c.scratch = append(c.out.Buf, fraction[1:]...), fraction
}

func (c *cells) float(v float64, bits int) {
	c.tab()
	c.out.Buf = rows.AppendFloat(c.out.Buf, v, bits)
}

func (c *cells) binary(v []byte) {
	c.tab()
	c.out.Buf = rows.AppendBinary(c.out.Buf, v)
}

// prose appends about n bytes of text.
func (c *cells) prose(n int) {
	c.scratch = c.words.prose(c.scratch[:0], &c.random, n)
	c.tab()
	c.out.Buf = rows.AppendText(c.out.Buf, c.scratch)
}

// maybe appends NULL once in every times, otherwise v.
func (c *cells) maybe(every, v int64) {
	if c.below(every) == 0 {
		c.null()
	} else {
		c.int(v)
	}
}
