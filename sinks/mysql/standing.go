package mysql

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/mysql"
)

// standing is the existing site that is to be replaced, by full names and without
// preserved tables.
type standing struct {
	views  []string
	tables []string // including the marker of an unfinished restore
	marked bool
	bytes  int64 // of the rows, the server's estimate
	notes  []stage.Note
}

func (o *standing) names() []string { return slices.Concat(o.tables, o.views) }

// standing finds the existing site. It returns an error if nothing may be replaced,
// or if a table that stays has the name of a planned one.
func (s *sink) standing(st *mysql.Structure, p *stage.Plan) (standing, error) {
	old := standing{marked: st.Marked}
	stays := map[string]string{} // why, by folded full name
	used := map[string]bool{}
	preserved := func(full, name string) bool {
		pattern, ok := s.preserved(p, name)
		if ok {
			used[pattern] = true
			stays[s.fold(full)] = fmt.Sprintf("preserved by %q; exclude it from the restore, or preserve less", pattern)
		}
		return ok
	}
	for _, full := range st.Others {
		stays[s.fold(full)] = fmt.Sprintf("belongs to another site or program, not to the prefix %q", s.cfg.Prefix)
	}
	for _, l := range st.Losses { // before tables, as some are listed here too
		name := strings.TrimPrefix(l.Path, stage.DB+"/")
		full := s.cfg.Prefix + name
		switch {
		case l.Kind == stage.LossView && !preserved(full, name):
			old.views = append(old.views, full)
		case l.Kind == stage.LossTable:
			stays[s.fold(full)] = l.Reason + " exists and is not replaced; drop it first"
		}
	}
	for _, t := range st.Tables {
		delete(stays, s.fold(t.FullName))
		if !preserved(t.FullName, t.Name) {
			old.tables = append(old.tables, t.FullName)
			old.bytes += t.Bytes
		}
	}
	if st.Marked {
		old.tables = append(old.tables, s.marker())
	}
	if there := old.names(); len(there) > 0 && p.Replace == stage.ReplaceNothing {
		reason := "has tables with the prefix"
		if st.Marked {
			reason = "has remains of an unfinished restore with the prefix"
		}
		return old, failure.New(failure.Refused, "%s: the database %s %q: %s; use another one, or set replace: true", s.server.Address, reason, s.cfg.Prefix, some(there))
	}
	for _, pattern := range p.Preserve {
		if !used[pattern] {
			old.notes = append(old.notes, stage.Note{Path: stage.DB, Text: fmt.Sprintf("preserve: %q matches no table", pattern)})
		}
	}
	return old, s.checkNames(p, stays)
}

// checkNames refuses a plan with names that are in use.
func (s *sink) checkNames(p *stage.Plan, stays map[string]string) error {
	var reasons []string
	twins := map[string]string{}
	for k := range p.Tables {
		name := p.Tables[k].Schema.Name
		full := s.fold(s.cfg.Prefix + name)
		if twin, ok := twins[full]; ok {
			reasons = append(reasons, fmt.Sprintf("table %s: this server does not distinguish its name from %s", name, twin))
		}
		twins[full] = name
		if why, ok := stays[full]; ok {
			reasons = append(reasons, fmt.Sprintf("table %s: %s", name, why))
		}
	}
	if reasons == nil {
		return nil
	}
	return failure.New(failure.Refused, "%s: names in use: %s", s.server.Address, some(reasons))
}

// preserved returns the pattern of the plan that preserves a table or view.
func (s *sink) preserved(p *stage.Plan, name string) (pattern string, ok bool) {
	for _, pattern := range p.Preserve {
		only := strings.NewReplacer(`\`, `\\`, `?`, `\?`, `[`, `\[`).Replace(pattern) // * is the only wildcard
		if matched, err := path.Match(s.fold(only), s.fold(name)); err == nil && matched {
			return pattern, true
		}
	}
	return "", false
}

// fold returns a name as the server compares it.
func (s *sink) fold(name string) string {
	if s.server.FoldCase {
		return strings.ToLower(name)
	}
	return name
}
