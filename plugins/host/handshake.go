package host

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"sync"

	goplugin "github.com/hashicorp/go-plugin"

	"github.com/lmsvault/vault/plugins/protocol"
)

// handshakeLine matches the line that a plugin prints when it is ready, see
// docs/internals.md of go-plugin.
var handshakeLine = regexp.MustCompile(`^\d+\|\d+\|[a-z]+\|[^|]+(\|.*)?$`)

// maxHandshake is the maximum length of the line. go-plugin stops reading at 64 KiB.
const maxHandshake = 8 << 10

// handshakeFields is the number of fields used. A certificate may follow, from which
// go-plugin would conclude that mutual TLS is wanted.
const handshakeFields = 5

// handshake passes on only the handshake of a process's standard output. Everything else
// printed there, before or after, goes to stray.
type handshake struct {
	reader *io.PipeReader // read by go-plugin
	writer *io.PipeWriter
	stray  func(line []byte)

	mu   sync.Mutex
	line string
}

func newHandshake(stray func([]byte)) *handshake {
	g := &handshake{stray: stray}
	g.reader, g.writer = io.Pipe()
	return g
}

// hear handles a line of the output.
func (g *handshake) hear(line []byte) {
	if g.said() != "" || len(line) > maxHandshake || !handshakeLine.Match(line) {
		g.stray(line)
		return
	}
	fields := bytes.SplitN(line, []byte("|"), handshakeFields+1)
	said := string(bytes.Join(fields[:min(len(fields), handshakeFields)], []byte("|")))
	g.mu.Lock()
	g.line = said
	g.mu.Unlock()
	// Nobody reads it if go-plugin has given up meanwhile.
	if _, err := io.WriteString(g.writer, said+"\n"); err != nil {
		g.stray(line)
	}
}

// said returns the handshake, or "" if there was none yet.
func (g *handshake) said() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.line
}

// misfit explains why the handshake can't be used, or returns nil if it can.
func misfit(line string) error {
	field := append(strings.Split(line, "|"), "", "")
	version, err := strconv.Atoi(field[1])
	switch {
	case field[0] != strconv.Itoa(goplugin.CoreProtocolVersion) || goplugin.Protocol(field[4]) != goplugin.ProtocolGRPC || err != nil:
		return fmt.Errorf("its first line is %.200q, which is not that of a Vault plugin", line)
	case version > protocol.Major:
		return fmt.Errorf("it uses version %d of the protocol, this vault version %d; use a newer vault or an older version of the plugin", version, protocol.Major)
	case version < protocol.Major:
		return fmt.Errorf("it uses version %d of the protocol, this vault version %d; use a newer version of the plugin", version, protocol.Major)
	}
	return nil
}
