package sitesettings

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"math/big"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/moodle/component"
	"github.com/lmsvault/vault/core/moodle/edit"
	"github.com/lmsvault/vault/core/stage"
)

// settings is the Edit. Everything that depends on the time or on chance is determined once,
// in Prepare, so that a unit that is written again has the same rows.
type settings struct {
	config Config

	now       int64
	overrides moodle.Overrides
	// own are settings of Moodle that are replaced, or added if they are missing; an empty
	// value removes the setting.
	own map[string]string
}

var _ edit.Preparer = (*settings)(nil)

// where is the path of the notes.
const where = stage.DB + "/config"

// Prepare determines all new values.
func (s *settings) Prepare(ctx context.Context, p *stage.Plan) (stage.Findings, error) {
	var found stage.Findings
	note := func(format string, args ...any) {
		found.Notes = append(found.Notes, stage.Note{Path: where, Text: fmt.Sprintf(format, args...)})
	}
	s.now = time.Now().Unix()
	s.own = map[string]string{"localcachedirpurged": strconv.FormatInt(s.now, 10)}
	if err := s.forced(p.Facts, note); err != nil {
		return found, err
	}
	if err := s.versions(ctx, p.Facts, note); err != nil {
		return found, err
	}
	if s.config.ResetIdentifier {
		at := host(cmp.Or(s.config.Address, p.Facts[moodle.AddressFact]))
		if at == "" {
			return found, failure.Wrap(failure.Refused, config.At("address", "the site's address is needed for a new identifier; set address"))
		}
		random, err := characters(32)
		if err != nil {
			return found, err
		}
		s.own["siteidentifier"] = random + at
		note("the site gets a new identifier")
	}
	return found, nil
}

// forced reads the settings that config.php forced.
func (s *settings) forced(facts map[string]string, note func(string, ...any)) error {
	text := facts[moodle.OverridesFact]
	if text == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(text), &s.overrides); err != nil {
		return failure.New(failure.Refused, "the settings that config.php forced, in the facts of the site, can't be read: %w", err)
	}
	var names []string
	for name := range s.overrides.Core {
		names = append(names, name)
	}
	for plugin, settings := range s.overrides.Plugins {
		for name := range settings {
			names = append(names, plugin+"/"+name)
		}
	}
	slices.Sort(names)
	list := strings.Join(names, ", ")
	switch {
	case len(names) == 0:
	case s.config.Overrides:
		note("settings that config.php of the original site forced get their forced values: %s", list)
	default:
		s.overrides = moodle.Overrides{}
		note("settings that config.php of the original site forced keep the values of the database (overrides: false): %s", list)
	}
	return nil
}

// versions determines allversionshash.
func (s *settings) versions(ctx context.Context, facts map[string]string, note func(string, ...any)) error {
	const hash = "allversionshash"
	if s.config.Dir == "" {
		note("%s stays as it is, because the code of the site is not known; Moodle asks for an upgrade if it does not match", hash)
		return nil
	}
	installed, known, err := installed(facts)
	if err != nil {
		return err
	}
	if !known {
		note("%s stays as it is, because the versions of the original site are not known; Moodle asks for an upgrade if it does not match", hash)
		return nil
	}
	code, err := component.Load(ctx, s.config.Dir, component.Options{Admin: s.config.Admin, ThemeDir: s.config.ThemeDir})
	if err != nil {
		if failure.Of(err) != failure.Refused {
			return err
		}
		note("%s stays as it is: %v", hash, err)
		return nil
	}
	states := slices.DeleteFunc(code.Compare(installed), func(c component.State) bool { return slices.Contains(s.config.Preserved, c.Component) })
	if due := component.Due(states); len(due) > 0 {
		s.own[hash] = ""
		note("%s is removed, because Moodle needs an upgrade: %s", hash, component.Names(due))
		return nil
	}
	if lower := component.Only(states, component.Lower); len(lower) > 0 {
		note("%s stays as it is, because the code is older than the data: %s", hash, component.Names(lower))
		return nil
	}
	sum, err := code.VersionsHash()
	if err != nil {
		note("%s stays as it is: %v", hash, err)
		return nil
	}
	s.own[hash] = sum
	return nil
}

// installed returns the versions in the facts of the site.
func installed(facts map[string]string) (versions map[string]component.Version, known bool, err error) {
	core, text := facts[moodle.VersionFact], facts[moodle.PluginsFact]
	if core == "" || text == "" {
		return nil, false, nil
	}
	var plugins map[string]string
	if err := json.Unmarshal([]byte(text), &plugins); err != nil {
		return nil, false, failure.New(failure.Refused, "the versions of plugins, in the facts of the site, can't be read: %w", err)
	}
	return component.Installed(core, plugins), true, nil
}

// host returns the host of an address without its port, "" if it has none.
func host(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	return u.Hostname()
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// characters returns n random letters and digits.
func characters(n int) (string, error) {
	text := make([]byte, n)
	for i := range text {
		k, err := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet))))
		if err != nil {
			return "", fmt.Errorf("a new site identifier: %w", err)
		}
		text[i] = alphabet[k.Int64()]
	}
	return string(text), nil
}
