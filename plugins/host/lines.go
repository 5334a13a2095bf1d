package host

import (
	"bufio"
	"errors"
	"io"
)

// maxLine is how much of a line is kept.
const maxLine = 64 << 10

// cut stands at the end of a line of which the rest is left out.
const cut = " … (cut)"

// lines calls heard for each line of r without its end, until r ends. A longer
// line than maxLine is cut: whoever writes it is never blocked. The bytes are
// valid during the call.
func lines(r io.Reader, heard func(line []byte)) error {
	in := bufio.NewReaderSize(r, maxLine)
	inLong := false
	for {
		line, err := in.ReadSlice('\n')
		full := errors.Is(err, bufio.ErrBufferFull)
		if len(line) > 0 && !inLong {
			switch {
			case full:
				heard(append(line[:len(line):len(line)], cut...))
			default:
				heard(trimEnd(line))
			}
		}
		if inLong = full; err != nil && !full {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return err
		}
	}
}

func trimEnd(line []byte) []byte {
	for len(line) > 0 && (line[len(line)-1] == '\n' || line[len(line)-1] == '\r') {
		line = line[:len(line)-1]
	}
	return line
}
