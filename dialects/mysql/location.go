package mysql

import (
	"context"
	"fmt"
)

// Location identifies the database independently of the address used to reach it.
// MariaDB has no server identity, so its host, port and data directory are used.
func (s *Server) Location(ctx context.Context) (string, error) {
	query := "SELECT CONCAT('mysql ', @@server_uuid)"
	if s.MariaDB {
		query = "SELECT CONCAT('mariadb ', @@hostname, ':', @@port, ':', @@datadir)"
	}
	var server string
	if err := s.QueryRowContext(ctx, query).Scan(&server); err != nil {
		return "", fmt.Errorf("%s: reading the server's identity: %w", s.Address, err)
	}
	return server + " database " + s.fold(s.Database), nil
}

// Overlap reports whether sites with these prefixes may have tables in common.
func (s *Server) Overlap(a, b string) bool {
	_, within := s.cut(a+" ", b)
	_, around := s.cut(b+" ", a)
	return within || around
}
