package host

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/lmsvault/vault/plugins/protocol"
)

// own logs go-plugin's own messages at debug level: it logs every exit of a process as an
// error, and the failed call already returns that.
type own struct{ log *slog.Logger }

func (o own) Accept(_ string, _ hclog.Level, msg string, args ...any) {
	o.log.Debug(msg, args...)
}

func ownLogger(log *slog.Logger) hclog.Logger {
	if !log.Enabled(context.Background(), slog.LevelDebug) {
		return hclog.NewNullLogger()
	}
	l := hclog.NewInterceptLogger(&hclog.LoggerOptions{Output: io.Discard, Level: hclog.Debug})
	l.RegisterSink(own{log.With("from", "go-plugin")})
	return l
}

// message is a line of a plugin's log.
type message struct {
	level slog.Level
	text  string
	time  time.Time // zero if the line has no time
	attrs []slog.Attr
}

var (
	// levelPrefix matches the level at the start of lines that are not JSON.
	levelPrefix = regexp.MustCompile(`^\[?(TRACE|DEBUG|INFO|WARN|WARNING|ERROR)(\]:?|:) *`)
	// levelField finds the level in truncated JSON.
	levelField = regexp.MustCompile(`^\{.{0,100}?"@level": ?"([a-z]+)"`)
)

// parse parses a line of a plugin's standard error: JSON with the field names of
// hashicorp's hclog, or plain text, whose level is info unless it has a prefix.
func parse(line []byte) message {
	if len(line) > 0 && line[0] == '{' {
		if m, ok := parseJSON(line); ok {
			return m
		}
		if level := levelField.FindSubmatch(line); level != nil {
			return message{level: levelOf(string(level[1])), text: protocol.Printable(string(line))}
		}
	}
	text := protocol.Printable(string(line))
	if level := levelPrefix.FindStringSubmatch(text); level != nil {
		return message{level: levelOf(level[1]), text: text[len(level[0]):]}
	}
	return message{text: text}
}

func parseJSON(line []byte) (m message, ok bool) {
	fields := map[string]any{}
	in := json.NewDecoder(bytes.NewReader(line))
	in.UseNumber()
	if in.Decode(&fields) != nil {
		return m, false
	}
	text, ok := fields["@message"].(string)
	if !ok {
		return m, false
	}
	m.text = protocol.Printable(text)
	if level, ok := fields["@level"].(string); ok {
		m.level = levelOf(level)
	}
	if at, ok := fields["@timestamp"].(string); ok {
		if t, err := time.Parse(time.RFC3339Nano, at); err == nil {
			m.time = t
		}
	}
	for _, name := range []string{"@message", "@level", "@timestamp"} {
		delete(fields, name)
	}
	m.attrs = attributes(fields)
	return m, true
}

func attributes(fields map[string]any) []slog.Attr {
	attrs := make([]slog.Attr, 0, len(fields))
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		switch v := fields[name].(type) {
		case map[string]any:
			attrs = append(attrs, slog.Attr{Key: name, Value: slog.GroupValue(attributes(v)...)})
		case string:
			attrs = append(attrs, slog.String(name, v))
		default:
			attrs = append(attrs, slog.Any(name, v))
		}
	}
	return attrs
}

func levelOf(name string) slog.Level {
	switch strings.ToLower(name) {
	case "trace", "debug":
		return slog.LevelDebug
	case "warn", "warning":
		return slog.LevelWarn
	case "error":
		return slog.LevelError
	}
	return slog.LevelInfo
}

// write writes the message to log, with its own time.
func (m message) write(ctx context.Context, log *slog.Logger) error {
	if !log.Enabled(ctx, m.level) {
		return nil
	}
	if m.time.IsZero() {
		m.time = time.Now()
	}
	r := slog.NewRecord(m.time, m.level, m.text, 0)
	r.AddAttrs(m.attrs...)
	return log.Handler().Handle(ctx, r)
}
