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

// handshakeLine is what a plugin says when it is ready: go-plugin's
// docs/internals.md.
var handshakeLine = regexp.MustCompile(`^\d+\|\d+\|[a-z]+\|[^|]+(\|.*)?$`)

// maxHandshake is how long such a line may be. go-plugin reads no more from one
// of 64 KiB on.
const maxHandshake = 8 << 10

// handshakeFields are those of it that count here. A certificate may follow: for
// mutual TLS, which go-plugin takes to be wanted where it finds one.
const handshakeFields = 5

// handshake passes only the handshake of a process's standard output on. Whatever
// else it or its libraries print there, before or after, goes to stray.
type handshake struct {
	reader *io.PipeReader // what go-plugin reads
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

// hear takes a line of the output.
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
	// Nobody reads it where go-plugin has given up meanwhile.
	if _, err := io.WriteString(g.writer, said+"\n"); err != nil {
		g.stray(line)
	}
}

// said is the handshake, "" if it has not come.
func (g *handshake) said() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.line
}

// misfit says in plain words why this handshake can't be used; nil if it can.
func misfit(line string) error {
	field := append(strings.Split(line, "|"), "", "")
	version, err := strconv.Atoi(field[1])
	switch {
	case field[0] != strconv.Itoa(goplugin.CoreProtocolVersion) || goplugin.Protocol(field[4]) != goplugin.ProtocolGRPC || err != nil:
		return fmt.Errorf("it greets as %.200q, which is no plugin of Vault's", line)
	case version > protocol.Major:
		return fmt.Errorf("it speaks version %d of the protocol, and this vault speaks version %d: use a newer vault, or an older version of the plugin", version, protocol.Major)
	case version < protocol.Major:
		return fmt.Errorf("it speaks version %d of the protocol, and this vault speaks version %d: use a newer version of the plugin", version, protocol.Major)
	}
	return nil
}
