package sqlite

import (
	"errors"
	"slices"
	"strings"

	"modernc.org/sqlite"

	"github.com/lmsvault/vault/dialects/sqltext"
)

// allowed lists the actions of the statements that this package writes. No statement
// can do anything else: attach a file, create views, triggers or virtual tables, load
// code.
var allowed = map[sqlite.AuthorizerActionCode]bool{
	sqlite.AuthCreateTable: true, sqlite.AuthCreateIndex: true, sqlite.AuthReindex: true, sqlite.AuthInsert: true, sqlite.AuthUpdate: true,
	sqlite.AuthRead: true, sqlite.AuthSelect: true, sqlite.AuthTransaction: true,
}

// deniedFunctions reach beyond the database. Other functions must be allowed: SQLite
// checks the functions in a column's default when it compiles a SELECT of that
// column.
var deniedFunctions = sqltext.Set("load_extension fts3_tokenizer readfile writefile edit")

var ownPragmas = sqltext.Set(`application_id cache_size encoding foreign_key_list index_list index_xinfo journal_mode locking_mode page_size synchronous
	table_list table_xinfo wal_checkpoint`)

// confine makes the connection reject, at compile time, every statement that is not
// allowed.
func (c *Conn) confine() error {
	conn, ok := c.conn.(sqlite.AuthorizerRegisterer)
	if !ok {
		return errors.New("the SQLite driver cannot restrict statements")
	}
	return conn.RegisterAuthorizer(func(action sqlite.AuthorizerActionCode, first, second, _, _ string) sqlite.AuthorizerReturnCode {
		switch {
		case allowed[action],
			action == sqlite.AuthDelete && c.deletes != "" && first == c.deletes,
			action == sqlite.AuthFunction && !deniedFunctions[strings.ToLower(second)],
			action == sqlite.AuthPragma && (ownPragmas[strings.ToLower(first)] || second == "" && settled(first)):
			return sqlite.AuthorizerOK
		}
		return sqlite.AuthorizerDeny
	})
}

// settled reports whether every connection has set a pragma; it may then be read but
// not set.
func settled(name string) bool {
	return name == "query_only" || slices.ContainsFunc(pragmas, func(p pragma) bool { return p.name == name })
}

// oneStatement returns an error for text that the driver would run as several
// statements, or of which it would see only the beginning.
func oneStatement(sql string) error {
	if strings.ContainsRune(sql, 0) {
		return errors.New("the statement contains a NUL character")
	}
	for _, t := range tokens(sql) {
		if isOther(t, ";") {
			return errors.New("the text holds more than one statement")
		}
	}
	return nil
}
