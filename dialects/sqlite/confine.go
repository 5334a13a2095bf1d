package sqlite

import (
	"errors"
	"slices"
	"strings"

	"modernc.org/sqlite"

	"github.com/lmsvault/vault/dialects/sqltext"
)

// allowed are the actions of the statements that this package writes. What is not
// here can't be done by any statement: attaching a file, making views, triggers and
// virtual tables, loading code.
var allowed = map[sqlite.AuthorizerActionCode]bool{
	sqlite.AuthCreateTable: true, sqlite.AuthCreateIndex: true, sqlite.AuthReindex: true, sqlite.AuthInsert: true, sqlite.AuthUpdate: true,
	sqlite.AuthRead: true, sqlite.AuthSelect: true, sqlite.AuthTransaction: true,
}

// deniedFunctions reach beyond the database. Others must be allowed: SQLite looks at
// the functions in a column's default when it compiles a SELECT of that column.
var deniedFunctions = sqltext.Set("load_extension fts3_tokenizer readfile writefile edit")

var ownPragmas = sqltext.Set(`application_id cache_size encoding foreign_key_list index_list index_xinfo journal_mode locking_mode page_size synchronous
	table_list table_xinfo wal_checkpoint`)

// confine makes the connection refuse whatever is not allowed, when a statement is compiled.
func (c *Conn) confine() error {
	conn, ok := c.conn.(sqlite.AuthorizerRegisterer)
	if !ok {
		return errors.New("the SQLite driver can't restrict statements")
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

// settled tells whether a pragma is one of those that every connection has: they are
// read and not set any more.
func settled(name string) bool {
	return name == "query_only" || slices.ContainsFunc(pragmas, func(p pragma) bool { return p.name == name })
}

// oneStatement fails for text that the driver would run as several statements, or
// of which it would see only the begin.
func oneStatement(sql string) error {
	if strings.ContainsRune(sql, 0) {
		return errors.New("the statement contains the character NUL")
	}
	for _, t := range tokens(sql) {
		if isOther(t, ";") {
			return errors.New("the text holds more than one statement")
		}
	}
	return nil
}
