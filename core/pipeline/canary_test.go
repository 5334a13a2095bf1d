package pipeline_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/pipeline"
)

// canaries are secrets of every look, the looks of ordinary values among them.
var canaries = []string{"S3CRET-CANARY", "canary", "correct-canary-horse", "canary_"}

// named tells whether a form makes the canary the name of a variable, which messages show.
func named(form, canary string) bool {
	return !strings.Contains(canary, "-") && slices.Contains([]string{"${@}", "${env:@}", "${@:x}"}, form)
}

func shows(text string) bool { return strings.Contains(strings.ToLower(text), "canary") }

// whole has every kind of key and value.
const whole = `version: 1
name: nightly
workers: 3
memory: 1GiB
dry_run: false
accept_loss: {view: 2}
select:
  exclude_tables: [sessions]
  structure_only: [logs]
  rows:
    - table: config
      except: {any: [{column: plugin, in: [mod_game, 7]}, {all: [{column: x, equal: 1}, {column: y, null: true}]}]}
    - {table: log, only: {column: name, prefix: a}}
  exclude_files: [dataroot/cache]
source:
  - use: mysql
    with: {dsn: "${env:SITE_DSN}", prefix: mdl_, lock_timeout: 1m}
  - use: files
    isolate: false
    with:
      dir: /var/moodledata/filedir
transform:
  - use: compress
    with: {codec: zstd, level: 3}
  - use: encrypt
    with:
      recipients: [age1x, age1y]
      passphrase: "${env:SITE_DSN}"
sink:
  - use: local
    env: [SITE_DSN]
    stall: 10m
    with: {dir: /srv/backups}
  - use: sqlite
    with: {path: site.sqlite}
after:
  - use: command
    name: tell
    when: always
    with: {argv: [sh, -c, x], env: {MODE: x}, keys: {K: "${env:SITE_DSN}"}, limits: {cpu: {most: 3, low: [{most: x}]}}}
`

// forms are how a secret may come to stand where it should not.
var forms = []string{
	"@", "*@", "&@", "&@ x", "!@", "!@ x", "!x @", "!!@ x", "[@]", "[x, @]", "{@}", "{@: x}", "{x: @}", `"@`, `"@"`, "'@'", `"x\n@"`, "%@", "`@", "%TAG ! @",
	"|\n        @\n", ">\n        @\n", "|@", "- @", "? @", "@: x", "x: @", ": @", "x #@", "!!int @", "!!binary @", "!!bool @", "!!null @",
	"${@}", "${env:@}", "${env:NOT_SET:-@}", "${file:@}", "${@:x}", "${env:HOLDS}", "${file:holding}", "x${env:HOLDS}y", "${file:holding}/x", "${@", "$${@}",
	"postgres://u:@@db/x", "u:@@tcp(db)/x", "s3://@", "~@", "$@/x", "AGE-SECRET-KEY-@", "@:x:y", "[[@]]", "123@", "-@", "@/../..",
}

// positions are the words of the file, keys and values alike.
var positions = regexp.MustCompile(`"[^"\n]*"|[A-Za-z0-9_/.]+`)

// Whatever somebody writes wherever, no finding quotes it if it could be a secret.
func TestNoFindingShowsASecret(t *testing.T) {
	for i, canary := range canaries {
		t.Run(canary, func(t *testing.T) {
			t.Parallel()
			noFindingShows(t, canary, i)
		})
	}
}

// noFindingShows tries a canary in every form at every position. Under the race
// detector each file is tried with one of the canaries, in turn.
func noFindingShows(t *testing.T, canary string, turn int) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "holding"), []byte(canary+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	o := pipeline.Options{Registry: registry(t), Dir: dir, Values: config.Values{Env: environment(map[string]string{"HOLDS": canary, "SITE_DSN": "u:" + canary + "@tcp(db)/x"})}}
	texts := []string{whole}
	for _, at := range positions.FindAllStringIndex(whole, -1) {
		for _, form := range forms {
			if named(form, canary) {
				continue
			}
			texts = append(texts, whole[:at[0]]+strings.ReplaceAll(form, "@", canary)+whole[at[1]:])
		}
	}
	for _, colon := range regexp.MustCompile(`: [^\n]`).FindAllStringIndex(whole, -1) { // a space that is forgotten
		texts = append(texts, whole[:colon[0]]+":"+canary+whole[colon[1]-1:], whole[:colon[0]]+" "+canary+whole[colon[1]-1:])
	}
	shown := 0
	for i, text := range texts {
		if raced && i%len(canaries) != turn {
			continue
		}
		for _, offline := range []bool{false, true} {
			o.Values.Offline = offline
			_, found := pipeline.Parse("nightly.yaml", []byte(text), o)
			asJSON, err := json.Marshal(found)
			if err != nil {
				t.Fatal(err)
			}
			if all := lines(found) + string(asJSON); shows(all) {
				if shown++; shown < 20 {
					t.Errorf("offline %v: of\n%s\nis shown\n%s", offline, differing(text), lines(found))
				}
			}
		}
	}
	if len(texts) < 2000 {
		t.Errorf("only %d files were tried", len(texts))
	}
}

// differing are the lines of text that hold the canary.
func differing(text string) string {
	var b strings.Builder
	for i, line := range strings.Split(text, "\n") {
		if shows(line) {
			fmt.Fprintf(&b, "%d: %s\n", i+1, line)
		}
	}
	return b.String()
}

func FuzzNoFindingShowsASecret(f *testing.F) {
	f.Add(uint16(30), "@", uint16(0))
	f.Add(uint16(120), "*@", uint16(4))
	f.Add(uint16(300), "{@: [", uint16(1))
	f.Fuzz(func(t *testing.T, at uint16, form string, cut uint16) {
		if shows(form) || strings.Count(form, "@") > 4 {
			return
		}
		i := int(at) % len(whole)
		j := min(len(whole), i+int(cut)%200)
		text := whole[:i] + strings.ReplaceAll(form, "@", " "+canaries[0]+" ") + whole[j:]
		o := pipeline.Options{Registry: registry(t), Dir: "/", Values: config.Values{Offline: true, Env: environment(map[string]string{"SITE_DSN": canaries[0]})}}
		if _, found := pipeline.Parse("nightly.yaml", []byte(text), o); shows(lines(found)) {
			t.Errorf("of\n%s\nis shown\n%s", text, lines(found))
		}
	})
}
