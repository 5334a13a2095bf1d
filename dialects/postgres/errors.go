package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lmsvault/vault/core/stage"
)

// Code returns the server's SQLSTATE of an error, "" for one that is not the server's.
func Code(err error) string {
	var server *pgconn.PgError
	if errors.As(err, &server) {
		return server.Code
	}
	return ""
}

// Denied tells whether the server refused a statement for a missing right.
func Denied(err error) bool { return Code(err) == "42501" }

// Gone tells whether a statement names an object that is not there.
func Gone(err error) bool {
	switch Code(err) {
	case "42P01", "42703", "3F000", "42704":
		return true
	}
	return false
}

// ExceedsIndex tells whether an index can't be built because of its definition's
// or a row's size: a B-tree holds entries of up to a third of a page (2704 bytes
// of 8 KiB pages) and 32 columns.
func ExceedsIndex(err error) bool {
	code := Code(err)
	return code == "54000" || code == "54011"
}

// Lost tells whether the connection is gone.
func Lost(err error) bool {
	switch code := Code(err); {
	case strings.HasPrefix(code, "08"), strings.HasPrefix(code, "57P"), code == "25P03", code == "25P04", code == "57P05":
		return true
	}
	var network net.Error
	return errors.Is(err, pgconn.ErrConnClosed) || errors.As(err, &network) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}

// Explain says what was being done when a statement failed, and what to do about
// it. An error that may not come again is stage.Temporary.
func (c *Conn) Explain(err error, format string, args ...any) error {
	return temporary(err, c.explain(err, c.Address+": "+fmt.Sprintf(format, args...)))
}

// temporary marks what is said of an error that may not come again: a lost
// connection, or a transaction that lost against another one.
func temporary(err, told error) error {
	if Lost(err) || Code(err) == "40P01" || Code(err) == "55P03" {
		return stage.Temporary(told, 0)
	}
	return told
}

func (c *Conn) explain(err error, what string) error {
	var server *pgconn.PgError
	errors.As(err, &server)
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: %w", what, err)
	case Lost(err):
		return fmt.Errorf("%s: the connection to the server was lost (a restart, an administrator, a time limit of a pooler or firewall); start again: %w", what, err)
	case server == nil:
		return fmt.Errorf("%s: %w", what, err)
	case server.Code == "55P03":
		return fmt.Errorf("%s: another session holds a lock on the table; try again later or raise lock_timeout: %w", what, err)
	case server.Code == "40001" && c.Standby:
		return fmt.Errorf("%s: the replica had to apply a change that this snapshot must not see; raise max_standby_streaming_delay or set hot_standby_feedback there: %w", what, err)
	case server.Code == "53100":
		return fmt.Errorf("%s: the server's disk is full: %w", what, err)
	case server.Code == "53200":
		return fmt.Errorf("%s: the server has no room for more locks or memory; raise max_locks_per_transaction: %w", what, err)
	case Denied(err):
		return fmt.Errorf("%s: a right is missing: %w", what, err)
	}
	if server.Detail != "" {
		return fmt.Errorf("%s: %w (%s)", what, err, strings.ReplaceAll(server.Detail, "\n", "; "))
	}
	return fmt.Errorf("%s: %w", what, err)
}

// Abridged lists names for a message, the first of many.
func Abridged(names []string) string {
	const most = 20
	if len(names) > most {
		return strings.Join(names[:most], ", ") + " …"
	}
	return strings.Join(names, ", ")
}
