package mysql

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
)

// emptyEnum inserts a row that was rejected because an enum is the empty string,
// which a server without strict mode stores instead of a wrong value and which only a
// server without strict mode accepts. The row is kept only if the server reports
// nothing else. in.text is the statement.
func (in *inserter) emptyEnum(ctx context.Context, tx *sql.Tx, row []byte) (kept bool, err error) {
	in.cells = rows.Split(in.cells, row)
	empty := 0
	for k, cell := range in.cells {
		if t := in.table.Columns[k].Type; t.Kind == schema.Enum && len(cell) == 0 && !slices.Contains(t.Values, "") {
			empty++
		}
	}
	if empty == 0 {
		return false, nil
	}
	run := func(statement string) {
		if err == nil {
			_, err = tx.ExecContext(ctx, statement)
		}
	}
	run("SAVEPOINT vault_row")
	run("SET @vault_mode = @@SESSION.sql_mode, SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'")
	if err != nil {
		return false, err
	}
	_, refused := tx.ExecContext(ctx, string(in.text))
	warnings, err := warningNumbers(ctx, tx)
	run("SET SESSION sql_mode = @vault_mode")
	const truncated = 1265
	if err == nil && refused == nil && len(warnings) == empty && !slices.ContainsFunc(warnings, func(n int) bool { return n != truncated }) {
		return true, nil
	}
	run("ROLLBACK TO SAVEPOINT vault_row")
	return false, err
}

func warningNumbers(ctx context.Context, tx *sql.Tx) (numbers []int, err error) {
	result, err := tx.QueryContext(ctx, "SHOW WARNINGS")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, result.Close()) }()
	for result.Next() {
		var level, message string
		var number int
		if err := result.Scan(&level, &number, &message); err != nil {
			return nil, err
		}
		numbers = append(numbers, number)
	}
	return numbers, result.Err()
}
