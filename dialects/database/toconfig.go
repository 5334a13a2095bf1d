package database

import (
	"net"
	"regexp"
	"strconv"
	"strings"

	gomysql "github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/moodle/siteconfig"
	"github.com/lmsvault/vault/dialects/mysql"
	"github.com/lmsvault/vault/dialects/postgres"
)

// ToConfig returns what config.php must say to use a database, the reverse of FromConfig.
// product is what Database.Product returned.
func (a *Address) ToConfig(product string) (siteconfig.Database, error) {
	d := siteconfig.Database{Engine: siteconfig.Engine(a.Engine), Prefix: a.Prefix, Schema: a.Schema}
	var err error
	switch a.Engine {
	case mysql.Dialect:
		err = mysqlConfig(&d, a.DSN, product)
	case postgres.Dialect:
		err = postgresConfig(&d, a.DSN)
	default:
		d.Type, d.Path, d.Schema = "sqlite3", a.Path, ""
	}
	return d, err
}

// mysqlModes maps the parameter tls of the driver to Moodle's option ssl.
var mysqlModes = map[string]string{"true": "verify-full", "skip-verify": "require", "preferred": "prefer"}

func mysqlConfig(d *siteconfig.Database, dsn config.Secret, product string) error {
	cfg, err := gomysql.ParseDSN(dsn.Reveal())
	if err != nil {
		return failure.New(failure.Usage, "dsn is not user:password@tcp(host:port)/database") // the driver's error may quote it
	}
	d.Type, d.Port = "mysqli", 3306
	if strings.HasPrefix(product, "MariaDB") {
		d.Type = "mariadb"
	}
	d.Name, d.User, d.Password, d.TLS, d.Schema = cfg.DBName, cfg.User, config.NewSecret(cfg.Passwd), mysqlModes[cfg.TLSConfig], ""
	if cfg.Net == "unix" {
		d.Socket = cfg.Addr
		return nil
	}
	host, port, err := net.SplitHostPort(cfg.Addr)
	if err != nil {
		return failure.New(failure.Usage, "dsn has no host and port")
	}
	if d.Host = host; host == "localhost" { // PHP would use a socket
		d.Host = "127.0.0.1"
	}
	d.Port, err = strconv.Atoi(port)
	return err
}

var sslMode = regexp.MustCompile(`sslmode\s*=\s*'?([a-z-]+)`)

func postgresConfig(d *siteconfig.Database, dsn config.Secret) error {
	cfg, err := pgx.ParseConfig(dsn.Reveal())
	if err != nil {
		return failure.New(failure.Usage, "dsn is not postgres://USER:PASSWORD@HOST:PORT/DATABASE") // the library's error may quote it
	}
	d.Type, d.Host, d.Port = "pgsql", cfg.Host, int(cfg.Port)
	d.Name, d.User, d.Password = cfg.Database, cfg.User, config.NewSecret(cfg.Password)
	if strings.HasPrefix(cfg.Host, "/") {
		d.Host, d.Socket = "", cfg.Host
	}
	if m := sslMode.FindStringSubmatch(dsn.Reveal()); m != nil {
		d.TLS = m[1]
	}
	return nil
}
