package sdk

import (
	"io"
	"log/slog"
)

// logHandler writes the JSON that go-plugin's host reads: one line each, with
// the names of its library hclog.
func logHandler(w io.Writer) slog.Handler {
	return slog.NewJSONHandler(w, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) > 0 {
				return a
			}
			switch a.Key {
			case slog.TimeKey:
				return slog.String("@timestamp", a.Value.Time().Format("2006-01-02T15:04:05.000000Z07:00"))
			case slog.LevelKey:
				return slog.String("@level", levelName(a.Value))
			case slog.MessageKey:
				a.Key = "@message"
			}
			return a
		},
	})
}

func levelName(v slog.Value) string {
	level, _ := v.Any().(slog.Level)
	switch {
	case level >= slog.LevelError:
		return "error"
	case level >= slog.LevelWarn:
		return "warn"
	case level >= slog.LevelInfo:
		return "info"
	}
	return "debug"
}
