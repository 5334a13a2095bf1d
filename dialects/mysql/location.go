package mysql

import (
	"context"
	"fmt"
)

// Location identifies the database the same by whatever address it was reached. What it
// says of MariaDB, which has no identity of its own, is its host, port and folder.
func (s *Server) Location(ctx context.Context) (string, error) {
	query := "SELECT CONCAT('mysql ', @@server_uuid)"
	if s.MariaDB {
		query = "SELECT CONCAT('mariadb ', @@hostname, ':', @@port, ':', @@datadir)"
	}
	var server string
	if err := s.QueryRowContext(ctx, query).Scan(&server); err != nil {
		return "", fmt.Errorf("%s: asking the server who it is: %w", s.Address, err)
	}
	return server + " database " + s.fold(s.Database), nil
}

// Overlap tells whether sites with these prefixes may have tables in common.
func (s *Server) Overlap(a, b string) bool {
	_, within := s.cut(a+" ", b)
	_, around := s.cut(b+" ", a)
	return within || around
}
