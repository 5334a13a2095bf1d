package pipeline

import (
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
)

// lint checks how the steps fit together.
func (l *loader) lint() {
	l.mixed()
	l.sameParts()
	l.order()
	l.bytesToNowhere()
	l.idleSinks()
	l.unheld()
	l.noContents()
	l.found = append(l.found, l.pipeline.overlaps()...)
}

func hasStorage(steps []Step) bool {
	return slices.ContainsFunc(steps, func(s Step) bool { return s.storage() })
}

// mixed refuses a snapshot next to other sources, which would mix two sites.
func (l *loader) mixed() {
	if src := l.pipeline.Source; len(src) > 1 && hasStorage(src) {
		l.fail(src[1].At, "use a pipeline for each", "a snapshot cannot be combined with other sources")
	}
}

func (l *loader) sameParts() {
	src := l.pipeline.Source
	if hasStorage(src) {
		return
	}
	for i := range src {
		for j := range i {
			for _, part := range src[i].Stage.Parts {
				if slices.Contains(src[j].Stage.Parts, part) {
					l.fail(src[i].At, "keep one of them", "%s provides the part %s, which %s on line %d also provides", src[i].Label(), part, src[j].Label(), src[j].At.Line)
				}
			}
		}
	}
}

// order checks that transforms of rows come before those of bytes, and that encryption is
// last.
func (l *loader) order() {
	var bytes, sealed *Step
	for i := range l.pipeline.Transform {
		s := &l.pipeline.Transform[i]
		for _, before := range l.pipeline.Transform[:i] {
			if before.Label() == s.Label() {
				l.fail(s.At, "keep one of them", "duplicate transform %s, first used on line %d", s.Label(), before.At.Line)
			}
		}
		switch {
		case s.Stage.NewRecord != nil && bytes != nil:
			l.fail(s.At, "put "+s.Label()+" before "+bytes.Label(), "%s works on rows, but %s before it turns them into bytes", s.Label(), bytes.Label())
		case s.Stage.NewBytes != nil && sealed != nil && !s.Stage.Seals:
			l.fail(s.At, "put "+s.Label()+" before "+sealed.Label(), "%s comes after %s, but encrypted data does not compress", s.Label(), sealed.Label())
		}
		if s.Stage.NewBytes != nil && bytes == nil {
			bytes = s
		}
		if s.Stage.Seals {
			sealed = s
		}
	}
}

// bytesToNowhere refuses transforms of bytes without a storage that would store them.
func (l *loader) bytesToNowhere() {
	if hasStorage(l.pipeline.Sink) {
		return
	}
	var storages []string
	for _, s := range l.registry.All() {
		if s.Role == stage.RoleStorage {
			storages = append(storages, s.Name)
		}
	}
	suggestion := "remove it, or add a sink that is a storage: " + strings.Join(storages, ", ")
	if hasStorage(l.pipeline.Source) {
		suggestion = "remove it; a restore reverses the transforms by itself and needs only the passphrase or identity"
	}
	for _, s := range l.pipeline.Transform {
		if s.Stage.NewBytes != nil {
			l.fail(s.At, suggestion, "%s has no effect: no sink is a storage", s.Label())
		}
	}
}

// idleSinks refuses sinks that receive nothing.
func (l *loader) idleSinks() {
	if hasStorage(l.pipeline.Source) {
		return
	}
	for _, sink := range l.pipeline.Sink {
		takes := func(src Step) bool { return sink.holds(src.Stage.Parts...) }
		if !slices.ContainsFunc(l.pipeline.Source, takes) {
			l.fail(sink.At, "remove it, or add a source such as "+strings.Join(l.givers(sink.Stage.Parts), ", "),
				"%s receives nothing: it holds %s, which no source provides", sink.Label(), strings.Join(sink.Stage.Parts, ", "))
		}
	}
}

// unheld reports parts that no sink holds. It is an error if no sink holds any part of a
// source; otherwise it is a warning, because a part may be skipped on purpose.
func (l *loader) unheld() {
	for _, src := range l.pipeline.Source {
		parts := src.Stage.Parts
		if src.storage() {
			parts = []string{stage.DB, stage.Filedir, stage.Dataroot}
		}
		var lost []string
		for _, part := range parts {
			held := func(sink Step) bool { return sink.holds(part) }
			if part != stage.Site && !slices.ContainsFunc(l.pipeline.Sink, held) {
				lost = append(lost, part)
			}
		}
		switch what := strings.Join(lost, ", "); {
		case len(lost) == 0:
		case len(lost) == len(parts) && !src.storage() && src.Of == "":
			l.fail(src.At, "add a sink such as "+strings.Join(l.holders(lost), ", ")+", or remove this source",
				"no sink holds what %s provides (%s)", src.Label(), what)
		default:
			l.report(config.Warning, src.At, "add a sink such as "+strings.Join(l.holders(lost), ", ")+" to include them",
				"parts of %s are skipped because no sink holds them: %s", src.Label(), what)
		}
	}
}

// noContents warns about a data root without its file pool, which looks like a backup of
// all files.
func (l *loader) noContents() {
	gives := func(part string) int {
		return slices.IndexFunc(l.pipeline.Source, func(s Step) bool { return s.storage() || slices.Contains(s.Stage.Parts, part) })
	}
	if i := gives(stage.Dataroot); i >= 0 && gives(stage.Filedir) < 0 {
		l.report(config.Warning, l.pipeline.Source[i].At, "add a source files",
			"no source provides filedir, the content of all uploaded files")
	}
}

// holds reports whether a sink accepts one of these parts; a storage accepts all.
func (s *Step) holds(parts ...string) bool {
	return s.storage() || slices.ContainsFunc(parts, func(p string) bool { return slices.Contains(s.Stage.Parts, p) })
}

func (l *loader) givers(parts []string) []string { return l.having(stage.RoleSource, parts) }

func (l *loader) holders(parts []string) []string { return l.having(stage.RoleSink, parts) }

// having returns the names of the stages of a role that provide or accept one of these
// parts. A storage as a sink accepts all.
func (l *loader) having(role stage.Role, parts []string) []string {
	var names []string
	for _, s := range l.registry.All() {
		step := Step{Stage: s}
		if s.CanStand(role) && (role == stage.RoleSink || !step.storage()) && step.holds(parts...) {
			names = append(names, s.Name)
		}
	}
	return names
}
