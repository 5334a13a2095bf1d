package sdk

import (
	"io"
	"log/slog"
)

// logHandler returns a handler that writes the JSON lines which go-plugin's host reads,
// with the field names of the library hclog.
func logHandler(w io.Writer) slog.Handler {
	return slog.NewJSONHandler(w, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) > 0 {
				return a
			}
			// An attribute may have the same name as one of slog's own.
			switch level, isLevel := a.Value.Any().(slog.Level); {
			case a.Key == slog.TimeKey && a.Value.Kind() == slog.KindTime:
				return slog.String("@timestamp", a.Value.Time().Format("2006-01-02T15:04:05.000000Z07:00"))
			case a.Key == slog.LevelKey && isLevel:
				return slog.String("@level", levelName(level))
			case a.Key == slog.MessageKey && a.Value.Kind() == slog.KindString:
				a.Key = "@message"
			}
			return a
		},
	})
}

func levelName(level slog.Level) string {
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
