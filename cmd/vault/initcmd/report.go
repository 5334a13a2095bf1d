package initcmd

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/lmsvault/vault/cmd/vault/cli"
)

// result is what init prints with --json.
type result struct {
	Dir        string   `json:"dir"`
	Name       string   `json:"name,omitempty"`
	Address    string   `json:"address"`
	Engine     string   `json:"engine"`
	Dataroot   string   `json:"dataroot"`
	Files      []string `json:"files"`
	Repository string   `json:"repository"`
	Passphrase string   `json:"passphrase_file,omitempty"` // a new file
	Settings   []string `json:"settings,omitempty"`        // given or asked for
}

// report prints what was found and written, and the next commands.
func report(a *cli.App, d *Done) error {
	s := d.site
	engine := string(s.database.Engine)
	if s.product != "" {
		engine = s.product
	}
	if a.Flag("json").On {
		r := result{Dir: s.dir, Name: s.name, Address: s.wwwroot, Engine: engine, Dataroot: s.dataroot, Files: d.files, Repository: d.Repository, Passphrase: d.passphrase}
		for name := range s.settings {
			r.Settings = append(r.Settings, name)
		}
		return a.PrintJSON(r)
	}
	var b strings.Builder
	line := func(name, value string) { fmt.Fprintf(&b, "%-11s %s\n", name, cli.Plain(value)) }
	if s.name != "" {
		line("site", s.name)
	}
	line("address", s.wwwroot)
	if s.product != "" {
		engine += fmt.Sprintf(", %s", cli.Count(s.tables, "table"))
	}
	line("database", engine)
	line("data root", s.dataroot)
	for _, path := range d.files {
		line("wrote", shown(path))
	}
	for _, c := range d.repository {
		if c.Existed {
			line("repository", c.Where+" (exists already)")
		} else {
			line("repository", c.Where+" (created)")
		}
	}
	if d.passphrase != "" {
		line("passphrase", shown(d.passphrase)+" (new)")
		fmt.Fprintf(&b, "\nKeep a copy of the passphrase on another machine. Without it nobody can restore the backups.\n")
	}
	backup := shown(filepath.Join(d.To, backupFile))
	fmt.Fprintf(&b, "\nnext: vault check %s\n      vault run   %s\n", backup, backup)
	return a.Print(b.String())
}

// shown returns a path relative to the working directory if it is below it.
func shown(path string) string {
	dir, err := os.Getwd()
	if err != nil {
		return path
	}
	if rest, ok := strings.CutPrefix(path, dir+string(filepath.Separator)); ok {
		return rest
	}
	return path
}
