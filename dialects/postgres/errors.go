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

// Code returns the SQLSTATE of an error, or "" for an error that is not from the
// server.
func Code(err error) string {
	var server *pgconn.PgError
	if errors.As(err, &server) {
		return server.Code
	}
	return ""
}

// Denied reports whether the server refused a statement because a privilege is
// missing.
func Denied(err error) bool { return Code(err) == "42501" }

// Gone reports whether a statement refers to an object that does not exist.
func Gone(err error) bool {
	switch Code(err) {
	case "42P01", "42703", "3F000", "42704":
		return true
	}
	return false
}

// ExceedsIndex reports whether an index cannot be built because of its definition or
// the size of a row: a B-tree allows entries of up to a third of a page (2704 bytes
// of 8 KiB pages) and 32 columns.
func ExceedsIndex(err error) bool {
	code := Code(err)
	return code == "54000" || code == "54011"
}

// Lost reports whether the connection is lost.
func Lost(err error) bool {
	switch code := Code(err); {
	case strings.HasPrefix(code, "08"), strings.HasPrefix(code, "57P"), code == "25P03", code == "25P04", code == "57P05":
		return true
	}
	var network net.Error
	return errors.Is(err, pgconn.ErrConnClosed) || errors.As(err, &network) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}

// Explain adds what was being done and a remedy to the error of a statement. An error
// that may be transient is stage.Temporary.
func (c *Conn) Explain(err error, format string, args ...any) error {
	return temporary(err, c.explain(err, c.Address+": "+fmt.Sprintf(format, args...)))
}

// temporary marks told as temporary if err may be transient: a lost connection, or a
// transaction that conflicted with another one.
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
		return fmt.Errorf("%s: connection lost (server restart, administrator, timeout of a pooler or firewall); run again: %w", what, err)
	case server == nil:
		return fmt.Errorf("%s: %w", what, err)
	case server.Code == "55P03":
		return fmt.Errorf("%s: another session has locked the table; try again later or raise lock_timeout: %w", what, err)
	case server.Code == "40001" && c.Standby:
		return fmt.Errorf("%s: the replica cancelled the query because it conflicts with replication; raise max_standby_streaming_delay or set hot_standby_feedback there: %w", what, err)
	case server.Code == "53100":
		return fmt.Errorf("%s: the server's disk is full: %w", what, err)
	case server.Code == "53200":
		return fmt.Errorf("%s: the server is out of locks or memory; raise max_locks_per_transaction: %w", what, err)
	case Denied(err):
		return fmt.Errorf("%s: missing privilege: %w", what, err)
	}
	if server.Detail != "" {
		return fmt.Errorf("%s: %w (%s)", what, err, strings.ReplaceAll(server.Detail, "\n", "; "))
	}
	return fmt.Errorf("%s: %w", what, err)
}

// Abridged lists names for a message, at most the first few.
func Abridged(names []string) string {
	const most = 20
	if len(names) > most {
		return strings.Join(names[:most], ", ") + " …"
	}
	return strings.Join(names, ", ")
}
