package host

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"regexp"
)

// handshakeLine is what a plugin says when it is ready: go-plugin's
// docs/internals.md.
var handshakeLine = regexp.MustCompile(`^\d+\|\d+\|(unix|tcp)\|[^|]+(\|.*)?\r?\n?$`)

// maxLine is how much of a line is looked at at once.
const maxLine = 64 << 10

// greeting passes only the handshake of a process's standard output. Whatever
// else it or its libraries print there, before or after, goes to stray.
type greeting struct {
	from  io.ReadCloser
	lines *bufio.Reader
	stray func(line string)
	rest  []byte
	done  bool
}

func newGreeting(from io.ReadCloser, stray func(string)) *greeting {
	return &greeting{from: from, lines: bufio.NewReaderSize(from, maxLine), stray: stray}
}

func (g *greeting) Read(p []byte) (int, error) {
	for len(g.rest) == 0 {
		line, err := g.lines.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) && len(line) == 0 {
			return 0, err
		}
		if !g.done && handshakeLine.Match(line) {
			g.done = true
			g.rest = bytes.Clone(line)
			break
		}
		g.stray(string(bytes.TrimRight(line, "\r\n")))
	}
	n := copy(p, g.rest)
	g.rest = g.rest[n:]
	return n, nil
}

func (g *greeting) Close() error { return g.from.Close() }
