package pipeline_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/pipeline"
	"github.com/lmsvault/vault/core/selection"
	"github.com/lmsvault/vault/core/stage"
)

// wholeSite is a composite: a folder with a file that says where the site is.
type wholeSite struct {
	Dir    string   `key:"dir" required:"true" help:"the folder" example:"/var/www/moodle"`
	File   string   `key:"file" place:"" default:"site.conf" help:"what is read there"`
	Checks []string `key:"checks" help:"checks to bring"`
}

type check struct {
	Limit int           `key:"limit" min:"1" help:"a number"`
	Token config.Secret `key:"token" help:"a secret"`
}

// siteStage reads FOLDER/site.conf: DSN, folder of the files.
func siteStage(role stage.Role, change func(*wholeSite, *stage.Expansion)) stage.Stage {
	return stage.Stage{
		Info: stage.Info{Name: "site", Role: role, Summary: "A whole site.", Config: func() any { return &wholeSite{} }},
		Expand: func(ctx context.Context, cfg any, env stage.ExpandEnv) (*stage.Expansion, error) {
			c := cfg.(*wholeSite)
			text, err := os.ReadFile(filepath.Join(c.Dir, filepath.Base(c.File)))
			if err != nil {
				return nil, config.At("dir", "dir holds no site: %w", err)
			}
			dsn, files, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
			if name, ok := strings.CutPrefix(dsn, "env:"); ok {
				dsn, _ = env.Lookup(name)
			}
			e := &stage.Expansion{
				Parts: []stage.Part{
					{Name: "database", Use: "mysql", Settings: map[string]any{"dsn": config.NewSecret(dsn), "prefix": "m_"}},
					{Name: "contents", Use: "files", Settings: map[string]any{"dir": files}},
				},
				Selection: selection.Selection{StructureOnly: []string{"sessions"}},
			}
			if role == stage.RoleSource {
				e.Before = []stage.Part{{Name: "checks", Use: "check", Settings: map[string]any{"limit": 3, "token": config.NewSecret(dsn)}, When: "planned"}}
				e.After = []stage.Part{{Name: "tell", Use: "check", When: "always"}}
			}
			if change != nil {
				change(c, e)
			}
			return e, ctx.Err()
		},
	}
}

func checkStage() stage.Stage {
	return stage.Stage{
		Info:      stage.Info{Name: "check", Role: stage.RoleAction, Summary: "Looks.", Config: func() any { return &check{} }},
		NewAction: func(context.Context, any, stage.Env) (stage.Action, error) { return nil, errors.New("not made here") },
	}
}

// composed are the options of a registry that has a composite, and the folder of a site.
func composed(t *testing.T, change func(*wholeSite, *stage.Expansion)) (pipeline.Options, string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "site.conf"), []byte("u:S3CRET-CANARY@tcp(db)/moodle /srv/files\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := stage.NewRegistry(append(registry(t).All(), siteStage(stage.RoleSource, change), siteStage(stage.RoleSink, change), checkStage())...)
	if err != nil {
		t.Fatal(err)
	}
	return pipeline.Options{Registry: r, Dir: dir}, dir
}

const composite = `version: 1
select: {exclude_tables: [log]}
before: [{use: check, name: mine}]
source:
  - use: site
    with: {dir: .}
sink: [{use: local, with: {dir: /srv/backups}}]
after: [{use: check, name: last, when: failure}]
`

func labels(steps []pipeline.Step) string {
	var all []string
	for _, s := range steps {
		all = append(all, strings.TrimSpace(s.Label()+" "+s.Stage.Name+" "+s.When))
	}
	return strings.Join(all, ", ")
}

func TestCompositeExpandsToItsParts(t *testing.T) {
	o, dir := composed(t, nil)
	p, found := pipeline.Parse("p.yaml", []byte(composite), o)
	if len(found.Of(config.Error)) > 0 {
		t.Fatal(found)
	}
	if got := labels(p.Source); got != "site/database mysql, site/contents files" {
		t.Errorf("the sources are %s", got)
	}
	if before, after := labels(p.Before), labels(p.After); before != "mine check start, site/checks check planned" || after != "site/tell check always, last check failure" {
		t.Errorf("the actions are %s and %s", before, after)
	}
	db := p.Source[0].Config.(*database)
	if db.DSN.Reveal() != "u:S3CRET-CANARY@tcp(db)/moodle" || db.Prefix != "m_" || db.Wait == 0 || p.Source[1].Config.(*folder).Dir != "/srv/files" {
		t.Errorf("the settings are %+v and %+v", db, p.Source[1].Config)
	}
	if s := p.Selection; !slices.Equal(s.ExcludeTables, []string{"log"}) || !slices.Equal(s.StructureOnly, []string{"sessions"}) {
		t.Errorf("the selection is %+v", s)
	}
	if at := p.Source[1].At.String(); at != "p.yaml:5:5" || p.Dir != dir {
		t.Errorf("the parts are at %s", at)
	}
	want := "site expands to database (mysql), contents (files); before: checks (check); after: tell (check)"
	if notes := found.Of(config.Note); len(notes) != 1 || notes[0].String() != "p.yaml:5:5: note: "+want {
		t.Errorf("the linter notes %v", notes)
	}
	if notes := p.Expanded(); len(notes) != 1 || notes[0].Path+" "+notes[0].Text != want {
		t.Errorf("the plan notes %v", notes)
	}
	var hidden config.Redactor
	hidden.Add(p.Hidden...)
	if got := hidden.Redact("no access with S3CRET-CANARY"); got != "no access with ***" {
		t.Errorf("what the composite found is shown: %s", got)
	}
	if text, err := json.Marshal(p.Composites); err != nil || strings.Contains(string(text), "CANARY") {
		t.Errorf("%s, %v", text, err)
	}
}

// What is wrong with a part is told where the composite stands, and names both.
func TestErrorsOfPartsNameTheComposite(t *testing.T) {
	part := func(use string, settings map[string]any) func(*wholeSite, *stage.Expansion) {
		return func(_ *wholeSite, e *stage.Expansion) {
			e.Parts[0] = stage.Part{Name: "database", Use: use, Settings: settings}
		}
	}
	for want, change := range map[string]func(*wholeSite, *stage.Expansion){
		`site/database: no source stage "msql": did you mean "mysql"?`:                         part("msql", nil),
		"site/database: dsn is missing":                                                        part("mysql", nil),
		`site/database: unknown key "dns"`:                                                     part("mysql", map[string]any{"dsn": "x", "dns": "S3CRET"}),
		"site/database: prefix must be text":                                                   part("mysql", map[string]any{"dsn": "x", "prefix": 3}),
		"site/database: lock_timeout must be at most 1h":                                       part("mysql", map[string]any{"dsn": "x", "lock_timeout": config.Duration(2 * 3600e9)}),
		"site/database: prefix is not UTF-8":                                                   part("mysql", map[string]any{"dsn": "x", "prefix": "\xff"}),
		"site/database: dir is not an absolute path":                                           part("files", map[string]any{"dir": "files"}),
		"site/database: local cannot be a part: it is a storage or a composite":                part("local", map[string]any{"dir": "/x"}),
		"site/database: site cannot be a part: it is a storage or a composite":                 part("site", map[string]any{"dir": "/x"}),
		"site/database: a part must name a stage, not the path of a program":                   part("./mysql", nil),
		"site/contents: another part has the same name":                                        func(_ *wholeSite, e *stage.Expansion) { e.Parts[0].Name = "contents" },
		"site/Bad name: name must consist of a-z":                                              func(_ *wholeSite, e *stage.Expansion) { e.Parts[0].Name = "Bad name" },
		"site/contents provides the part filedir, which site/database on line 5 also provides": part("files", map[string]any{"dir": "/y"}),
		`site/checks: when is "success", but must be one of start, planned`:                    func(_ *wholeSite, e *stage.Expansion) { e.Before[0].When = "success" },
		"site/checks: limit must be at least 1":                                                func(_ *wholeSite, e *stage.Expansion) { e.Before[0].Settings["limit"] = 0 },
		"site expands to no stages":                                                            func(_ *wholeSite, e *stage.Expansion) { e.Parts = nil },
		"site: its selection: exclude_files[0] must begin with filedir/ or dataroot/":          func(_ *wholeSite, e *stage.Expansion) { e.Selection.ExcludeFiles = []string{"S3CRET"} },
		"no action stage of this name":                                                         func(_ *wholeSite, e *stage.Expansion) { e.After[0].Use = "S3CRET-CANARY" },
	} {
		o, _ := composed(t, change)
		p, found := pipeline.Parse("p.yaml", []byte(composite), o)
		if errs := found.Of(config.Error); p != nil || len(errs) != 1 || !strings.HasPrefix(errs[0].String(), "p.yaml:5:5: error: ") || !strings.Contains(errs[0].String(), want) {
			t.Errorf("found %v\nwant  %s", found, want)
		}
		if strings.Contains(lines(found), "S3CRET") {
			t.Errorf("a value is shown: %v", found)
		}
	}
}

func TestCompositeReportsFailedExpansion(t *testing.T) {
	o, _ := composed(t, nil)
	wrong := strings.Replace(composite, "dir: .", "dir: /nowhere/at/all", 1)
	_, found := pipeline.Parse("p.yaml", []byte(wrong), o)
	if got := found.Of(config.Error); len(got) != 1 || got[0].String() != "p.yaml:6:17: error: site: dir holds no site: open /nowhere/at/all/site.conf: no such file or directory" {
		t.Errorf("found %v", found)
	}
	o.Values.Offline = true // a linter may run where the site is not
	p, found := pipeline.Parse("p.yaml", []byte(wrong), o)
	if len(found.Of(config.Error)) > 0 || len(found.Of(config.Warning)) != 1 || p == nil {
		t.Errorf("the linter found %v", found)
	}
	o.Values.Env = environment(nil)
	p, found = pipeline.Parse("p.yaml", []byte(strings.Replace(composite, "dir: .", `dir: "${env:SITE}"`, 1)), o)
	if len(found.Of(config.Error)) > 0 || p == nil || !strings.Contains(lines(found), "site cannot be expanded because values are missing") {
		t.Errorf("with a variable that is missing, the linter found %v", found)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	o, _ = composed(t, nil)
	o.Context = cancelled
	if p, found := pipeline.Parse("p.yaml", []byte(composite), o); p != nil {
		t.Errorf("a cancelled context gives a pipeline, and %v", found)
	}
}

// What the user says of the target holds for all parts of a composite sink, unless the
// composite knows better.
func TestPartsOfASinkInheritReplaceAndPreserve(t *testing.T) {
	o, dir := composed(t, func(_ *wholeSite, e *stage.Expansion) {
		if len(e.Before) == 0 { // the sink
			e.Parts[1].Settings["preserve"] = []string{"cache"}
		}
	})
	text := fmt.Sprintf("version: 1\nsource: [{use: local, with: {dir: /b}}]\nsink: [{use: site, with: {dir: %s, replace: true, preserve: [a]}}]\n", dir)
	p, found := pipeline.Parse("p.yaml", []byte(text), o)
	if p == nil {
		t.Fatal(found)
	}
	for i, want := range []string{"true [a]", "true [cache]"} {
		if got := fmt.Sprintf("%s %v", p.Sink[i].Onto.Replace, p.Sink[i].Onto.Preserve); got != want {
			t.Errorf("part %d has %s, want %s", i, got, want)
		}
	}
	o.Replace = true
	text = strings.Replace(text, ", replace: true", "", 1)
	if p, found = pipeline.Parse("p.yaml", []byte(text), o); p == nil || p.Sink[1].Onto.Replace != "true" {
		t.Errorf("--replace: %v", found)
	}
}

// A migration between two sites has the composite at both ends.
func TestCompositesOfOneStageGetUniqueNames(t *testing.T) {
	o, dir := composed(t, func(c *wholeSite, e *stage.Expansion) {
		if strings.HasSuffix(c.Dir, "other") {
			e.Parts[0].Settings["dsn"], e.Parts[1].Settings["dir"] = "other", "/srv/other"
			e.Before = []stage.Part{{Name: "checks", Use: "check"}}
		}
	})
	other := filepath.Join(dir, "other")
	if err := errors.Join(os.Mkdir(other, 0o755), os.WriteFile(filepath.Join(other, "site.conf"), []byte("x y"), 0o600)); err != nil {
		t.Fatal(err)
	}
	p, found := pipeline.Parse("p.yaml", []byte("version: 1\nsource: [{use: site, with: {dir: .}}]\nsink: [{use: site, with: {dir: other}}]\n"), o)
	if p == nil {
		t.Fatal(found)
	}
	if got := labels(p.Sink) + "; " + labels(p.Before); got != "site 2/database mysql, site 2/contents files; site/checks check planned, site 2/checks check start" {
		t.Errorf("the steps are %s", got)
	}
}

func TestActionsAreDecoded(t *testing.T) {
	o, _ := composed(t, nil)
	rest := "\nsource: [{use: files, with: {dir: /x}}]\nsink: [{use: local, with: {dir: /y}}]\n"
	for text, want := range map[string]string{
		"before: [{use: check}, {use: check}]":                            "p.yaml:2:24: error: duplicate action name, first used on line 2: give each action its own name",
		"before: [{use: check, when: success}]":                           `p.yaml:2:29: error: when must be one of start, planned`,
		"after: [{use: check, when: planned}]":                            `p.yaml:2:28: error: when must be one of success, failure, always`,
		"after: [{use: mysql}]":                                           `p.yaml:2:15: error: no action stage "mysql": it is a source; write it below source`,
		"after: [{use: check, name: 'A b'}]":                              "p.yaml:2:28: error: name must consist of at most 40 characters a-z, 0-9 and -",
		"after: {use: check}":                                             "p.yaml:2:8: error: after must be a list of actions: write after: and below it - use: NAME",
		"before: [{use: check, with: {limit: 0}}]":                        "p.yaml:2:37: error: limit must be at least 1",
		"before: [{use: check, name: a}]\nafter: [{use: check, with: ~}]": "",
		"before: []\nafter: ~":                                            "",
	} {
		p, found := pipeline.Parse("p.yaml", []byte("version: 1\n"+text+rest), o)
		if got := lines(found.Of(config.Error)); want == "" && (p == nil || got != "") || want != "" && (!strings.HasPrefix(got, want) || strings.Count(got, "\n") != 1) {
			t.Errorf("%s gives %s, want %s", text, got, want)
		}
	}
	_, found := pipeline.Parse("p.yaml", []byte("version: 1\nsource: [{use: check}]\nsink: [{use: local, with: {dir: /y}}]\n"), o)
	if !strings.Contains(lines(found), `no source stage of this name: it is an action; write it below before or after`) && !strings.Contains(lines(found), `no source stage "check": it is an action; write it below before or after`) {
		t.Errorf("found %v", found)
	}
}

func TestSchemaIncludesActionsAndComposites(t *testing.T) {
	o, _ := composed(t, nil)
	s, err := pipeline.Schema(o.Registry)
	if err != nil {
		t.Fatal(err)
	}
	compiled := compile(t, s)
	if err := compiled.Validate(document(t, []byte(composite))); err != nil {
		t.Error(err)
	}
	for _, wrong := range []string{"when: planned", "when: failure, with: {limit: x}", "when: failure, wiht: {}"} {
		if err := compiled.Validate(document(t, []byte(strings.Replace(composite, "when: failure", wrong, 1)))); err == nil {
			t.Errorf("%s is accepted", wrong)
		}
	}
}

// What an expansion has to say is in the plan and shown by the linter, without secrets.
func TestNotesOfAnExpansionAreShown(t *testing.T) {
	o, _ := composed(t, func(_ *wholeSite, e *stage.Expansion) {
		e.Notes = []stage.Note{{Path: "db/log", Text: "left out on u:S3CRET-CANARY@tcp(db)/moodle"}}
	})
	p, found := pipeline.Parse("p.yaml", []byte(composite), o)
	notes := p.Expanded()
	if len(notes) != 2 || notes[1] != (stage.Note{Path: "db/log", Text: "left out on ***"}) {
		t.Errorf("the plan notes %v", notes)
	}
	if shown := found.Of(config.Note); len(shown) != 2 || shown[1].Message != "site: left out on ***" {
		t.Errorf("the linter notes %v", shown)
	}
}
