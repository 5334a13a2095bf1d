package lab

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/lmsvault/vault/internal/servers"
)

// Unpack lays out a real site, my (of MariaDB) or pg (of PostgreSQL), in a new directory
// with site.sql, dataroot and code. It skips the test where the sites are missing.
func Unpack(t testing.TB, site string) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("bash", filepath.Join(Dir(t), "unpack"), site, dir).CombinedOutput(); err != nil {
		t.Fatalf("unpacking the site %s: %v\n%s", site, err, out)
	}
	return dir
}

// Load loads a dump into an empty database with the engine's own client. dialect is mysql
// or postgres.
func Load(t testing.TB, dump string, db servers.Database, dialect string) {
	t.Helper()
	f, err := os.Open(dump)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cmd := exec.Command("psql", "-q", "-v", "ON_ERROR_STOP=1", "-d", db.DSN)
	if dialect == "mysql" {
		cfg, err := mysql.ParseDSN(db.DSN)
		if err != nil {
			t.Fatal(err)
		}
		host, port, err := net.SplitHostPort(cfg.Addr)
		if err != nil {
			t.Fatal(err)
		}
		cmd = exec.Command("mariadb", "-h", host, "-P", port, "-u", cfg.User, cfg.DBName)
		cmd.Env = append(os.Environ(), "MYSQL_PWD="+cfg.Passwd)
	}
	cmd.Stdin = f
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("loading %s: %v\n%s", dump, err, out)
	}
}
