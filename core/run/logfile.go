package run

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/lmsvault/vault/core/stage"
)

// LogDir says where a run that changes a site writes its log.
type LogDir struct {
	Path string // "" for no log
	// Required refuses the run if the log can't be written. Otherwise it has a note.
	Required bool
}

// logFile is the log of a run as JSON Lines. Each line is written at once, so that it is
// there if the process is killed. It is not safe for concurrent use.
type logFile struct {
	path string
	file *os.File
	err  error // first error of writing, after which nothing more is written
}

// openLog creates the log file of a run.
func openLog(dir, pipeline, run string) (*logFile, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, logName(pipeline, run))
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	return &logFile{path: path, file: f}, nil
}

// logName returns TIME-PIPELINE-RANDOM.jsonl; the run's ID is TIME-RANDOM.
func logName(pipeline, run string) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' {
			return r
		}
		return '-'
	}, pipeline)
	name = name[:min(len(name), 60)]
	if i := strings.LastIndexByte(run, '-'); i >= 0 {
		return run[:i] + "-" + name + run[i:] + ".jsonl"
	}
	return run + "-" + name + ".jsonl"
}

// write appends an entry. The end of a phase is made durable.
func (f *logFile) write(e stage.LogEntry) {
	if f.err != nil {
		return
	}
	line, err := json.Marshal(e)
	if err == nil {
		_, err = f.file.Write(append(line, '\n'))
	}
	switch e.Event {
	case stage.LogPhase, stage.LogIfKilled, stage.LogEnd:
		if err == nil {
			err = f.file.Sync()
		}
	}
	f.err = err
}

func (f *logFile) close() error { return errors.Join(f.err, f.file.Close()) }
