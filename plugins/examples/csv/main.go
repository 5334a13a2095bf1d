// Vault-plugin-csv is a Vault plugin that reads a directory of CSV files as the tables of a
// database.
package main

import (
	"context"
	"regexp"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/sdk"
)

func main() {
	sdk.Main(sdk.Plugin{Name: "csv", Version: "1.0.0", Stages: []sdk.Stage{declared()}})
}

func declared() sdk.Stage {
	return sdk.SourceStage("csv", "Reads a directory of CSV files as the tables of a database.",
		"Each file NAME.csv in UTF-8 is the table NAME; its first line names the columns. A column `id` holds integers and is the primary key; "+
			"columns listed in `integers` hold integers; all others are text. As in Go's package encoding/csv, blank lines are ignored, "+
			"and a carriage return before a line break in a field is dropped.",
		[]string{stage.DB}, open)
}

type settings struct {
	Dir      string   `key:"dir" required:"true" help:"directory with the files" example:"/srv/export"`
	Null     string   `key:"null" help:"the field value that means NULL; an empty field by default" example:"\\N"`
	Integers []string `key:"integers" help:"columns that hold integers, as table.column" example:"[grades.userid, grades.points]"`
}

var (
	name   = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)
	column = regexp.MustCompile(`^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$`)
)

// Validate is called by vault lint and before open.
func (s *settings) Validate() error {
	for _, c := range s.Integers {
		if !column.MatchString(c) {
			return sdk.At("integers", "%q in integers is not of the form table.column, such as grades.points", c)
		}
	}
	return nil
}

func open(_ context.Context, s *settings, _ sdk.Env) (sdk.Source, error) {
	return &source{settings: *s}, nil
}
