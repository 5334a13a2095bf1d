package siteconfig

import (
	"net"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
)

// tlsModes maps the values of dboptions['ssl'] to the parameter tls of the MySQL
// driver. PostgreSQL uses the same names.
var tlsModes = map[string]string{"": "", "disable": "false", "prefer": "preferred", "require": "skip-verify", "verify-full": "true"}

// writable returns an error for a value that a DSN cannot contain.
func (s *Site) writable(d Database) error {
	refuse := func(setting, problem string) error {
		name, _, _ := strings.Cut(setting, ".")
		_, _, pos, _ := s.lookup(name)
		return failure.New(failure.Usage, "%s: %s %s", pos, setting, problem)
	}
	if _, ok := tlsModes[d.TLS]; !ok && !(d.Engine == Postgres && (d.TLS == "allow" || d.TLS == "verify-ca")) {
		return refuse("dboptions.ssl", "is not disable, prefer, require or verify-full")
	}
	for _, one := range [][2]string{{"dbhost", d.Host}, {"dbname", d.Name}, {"dbuser", d.User}, {"dbpass", d.Password.Reveal()}, {"dboptions.dbsocket", d.Socket}} {
		if strings.ContainsFunc(one[1], unicode.IsControl) {
			return refuse(one[0], "contains a line break or another control character")
		}
	}
	if strings.ContainsAny(d.Host, "@()/") {
		return refuse("dbhost", "is not the name or the address of a machine")
	}
	if d.Engine == MySQL && strings.Contains(d.User, ":") {
		return refuse("dbuser", "contains a colon, which the address of a MySQL database cannot have")
	}
	if d.Engine == MySQL && strings.ContainsAny(d.Socket, "@()") {
		return refuse("dboptions.dbsocket", "contains @ or a parenthesis, which the address of a MySQL database cannot have")
	}
	return nil
}

// DSN returns the address of the database in the format of the stages mysql and
// postgres; empty for SQLite.
func (d Database) DSN() config.Secret {
	switch d.Engine {
	case SQLite:
		return config.Secret{}
	case Postgres:
		return config.NewSecret(d.postgresURL())
	}
	return config.NewSecret(d.mysqlDSN())
}

// mysqlDSN formats the DSN for go-sql-driver, which does not escape user and password.
func (d Database) mysqlDSN() string {
	var b strings.Builder
	b.WriteString(d.User)
	if !d.Password.IsZero() {
		b.WriteString(":" + d.Password.Reveal())
	}
	b.WriteString("@")
	if d.Socket != "" {
		b.WriteString("unix(" + d.Socket + ")")
	} else {
		b.WriteString("tcp(" + net.JoinHostPort(d.Host, strconv.Itoa(d.Port)) + ")")
	}
	b.WriteString("/" + url.PathEscape(d.Name))
	params := url.Values{}
	if mode := tlsModes[d.TLS]; mode != "" {
		params.Set("tls", mode)
	}
	if d.Timeout > 0 {
		params.Set("timeout", d.Timeout.String())
	}
	if len(params) > 0 {
		b.WriteString("?" + params.Encode())
	}
	return b.String()
}

func (d Database) postgresURL() string {
	u := url.URL{Scheme: "postgres", Path: "/" + d.Name}
	if d.User != "" {
		u.User = url.User(d.User)
	}
	if !d.Password.IsZero() {
		u.User = url.UserPassword(d.User, d.Password.Reveal())
	}
	params := url.Values{}
	if d.Socket != "" {
		params.Set("host", d.Socket)
		params.Set("port", strconv.Itoa(d.Port))
	} else {
		u.Host = net.JoinHostPort(d.Host, strconv.Itoa(d.Port))
	}
	if d.TLS != "" {
		params.Set("sslmode", d.TLS)
	}
	if d.Timeout > 0 {
		params.Set("connect_timeout", strconv.Itoa(max(1, int(d.Timeout.Seconds()))))
	}
	u.RawQuery = strings.ReplaceAll(params.Encode(), "+", "%20") // + is no space in such URLs
	return u.String()
}
