package snapshotcmd

import (
	"bufio"
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/core/stage"
)

// NewCat returns the command "cat".
func NewCat(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cat REPO [SNAPSHOT] PATH",
		Short: "Print the content of an entry of a snapshot",
		Long: `Print the content of one entry: a file's bytes, or a table's rows as
tab-separated text.

` + quotingHelp + `

PostgreSQL reads it as it is: psql -c "\copy TABLE FROM 'FILE'".

MySQL and MariaDB read it with LOAD DATA, but would store the text \x… in a binary
column. Load such a column through a variable and UNHEX:

  LOAD DATA LOCAL INFILE 'FILE' INTO TABLE mdl_x CHARACTER SET utf8mb4
    FIELDS TERMINATED BY '\t' ESCAPED BY '\\' LINES TERMINATED BY '\n'
    (id, name, @content) SET content = UNHEX(SUBSTRING(@content, 3));

NULL stays NULL: SUBSTRING and UNHEX of NULL are NULL. If the server's sql_mode
has NO_BACKSLASH_ESCAPES, set sql_mode = '' first, for the session.`,
		Example: "  vault cat /srv/backups db/config\n  vault cat /srv/backups dataroot/lang/en/langconfig.php > langconfig.php\n  vault cat /srv/backups 20260101 db/config",
		Args:    takesSnapshot("REPO", "PATH"),
	}
	snapshotFlag(cmd)
	return browserCommand(a, cmd, func(ctx context.Context, c stage.Browser, args []string) error {
		s, err := chosen(a, ctx, c)
		if err != nil {
			return err
		}
		path, err := unquoted(args[0])
		if err != nil {
			return err
		}
		out := bufio.NewWriterSize(a.Out, 64<<10)
		return errors.Join(c.Cat(ctx, s.ID, path, out), out.Flush())
	})
}
