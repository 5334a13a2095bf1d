package pipeline

import (
	"cmp"
	"path/filepath"
	"strings"

	"github.com/lmsvault/vault/core/config"
)

// placesOverlap finds steps that work on the same database or folder, as far as
// their settings show it. Symbolic links and names of servers are left to the
// stages' own checks.
func (l *loader) placesOverlap() {
	for i := range l.pipeline.Sink {
		sink := &l.pipeline.Sink[i]
		for j := range l.pipeline.Source {
			l.sourceAndSink(&l.pipeline.Source[j], sink)
		}
		for j := range i {
			other := &l.pipeline.Sink[j]
			if sameDatabase(sink, other) || sink.path() != "" && sink.path() == other.path() {
				l.fail(sink.At, "give each a place of its own", "%s writes to the same place as %s in line %d", sink.Stage.Name, other.Stage.Name, other.At.Line)
			}
		}
	}
}

func (l *loader) sourceAndSink(source, sink *Step) {
	from, to := source.path(), sink.path()
	at := sink.placeAt("dir", "file")
	switch {
	case sameDatabase(source, sink):
		l.fail(sink.placeAt("database"), "name another database, or another prefix", "%s would write into the tables that %s in line %d reads", sink.Stage.Name, source.Stage.Name, source.At.Line)
	case from == "" || to == "":
	case from == to:
		l.fail(at, "name another place", "%s would write to the very place that %s in line %d reads", sink.Stage.Name, source.Stage.Name, source.At.Line)
	case inside(to, from):
		l.fail(at, "name a place outside of it", "%s writes into the folder that %s in line %d reads: a backup would contain itself", sink.Stage.Name, source.Stage.Name, source.At.Line)
	case inside(from, to):
		l.fail(at, "name a place that doesn't hold the source", "%s writes to a folder that holds what %s in line %d reads", sink.Stage.Name, source.Stage.Name, source.At.Line)
	}
}

// sameDatabase tells whether two steps name the same tables in the same words.
func sameDatabase(a, b *Step) bool {
	x, y := a.places, b.places
	return x["database"].Value != "" && x["database"].Value == y["database"].Value && x["prefix"].Value == y["prefix"].Value
}

// path is the folder or file that a step works on, absolute and clean; "" for none.
func (s *Step) path() string {
	p := cmp.Or(s.places["dir"].Value, s.places["file"].Value)
	if p == "" {
		return ""
	}
	abs, err := filepath.Abs(p)
	if err != nil {
		return filepath.Clean(p)
	}
	return abs
}

// inside tells whether path lies below dir; both are clean and absolute.
func inside(path, dir string) bool {
	return strings.HasPrefix(path, strings.TrimSuffix(dir, string(filepath.Separator))+string(filepath.Separator))
}

// placeAt is where the first of these places stands in the file, else the step.
func (s *Step) placeAt(places ...string) config.Position {
	for _, place := range places {
		if at, ok := s.keys[s.places[place].Key]; ok {
			return at
		}
	}
	return s.At
}
