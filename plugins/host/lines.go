package host

import (
	"bufio"
	"errors"
	"io"
)

// maxLine is how much of a line is kept, in bytes.
const maxLine = 64 << 10

// cut marks the end of a truncated line.
const cut = " … (cut)"

// lines calls heard for each line of r, without the line break, until r ends. Lines longer
// than maxLine are truncated, so the writer never blocks. The bytes are valid only during
// the call.
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
