package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/stage"
)

// DatabaseServer is the check of the server and its settings.
func DatabaseServer() Check {
	return Check{
		ID: "database-server", Title: "Database server", Levels: []stage.Level{stage.LevelNote, stage.LevelWarning},
		Doc: `Shows the server and its version, how all tables are read at one point in time, and on MySQL and MariaDB the
settings max_allowed_packet and local_infile, which affect restores into this server. A version that is not supported
cannot be read at all. It is a **warning** if max_allowed_packet is less than 16 MiB.`,
		Remedy: `set max_allowed_packet to at least 64M.`,
	}
}

// Server is what DatabaseServer examines.
type Server struct {
	Product     string // MariaDB 10.11.19
	Consistency string // how the source reads all tables at one point in time; "" if unknown
	Packet      int64  // max_allowed_packet; 0 if the server has no such limit
	LocalInfile string // ON or OFF; "" if the server has no such setting
}

const smallPacket = 16 << 20

// Findings returns the findings of the check DatabaseServer.
func (s Server) Findings() []stage.ActionFinding {
	c := DatabaseServer()
	f := c.Finding(stage.LevelNote, "%s", s.Product)
	if s.Consistency != "" {
		f.What += "; tables are read with " + s.Consistency
	}
	found := []stage.ActionFinding{f}
	if s.LocalInfile != "" {
		f = c.Finding(stage.LevelNote, "local_infile is %s", s.LocalInfile)
		if f.Where = "local_infile"; s.LocalInfile == "OFF" {
			f.What += ", so a restore into this server loads rows with INSERT, which is slower"
		}
		found = append(found, f)
	}
	if s.Packet > 0 {
		f = c.Finding(stage.LevelNote, "max_allowed_packet is %s", bytesOf(s.Packet))
		if s.Packet < smallPacket {
			f.Level, f.Remedy = stage.LevelWarning, "set max_allowed_packet to at least 64M"
			f.What += "; a restore into this server may be unable to write large values"
		}
		f.Where = "max_allowed_packet"
		found = append(found, f)
	}
	return found
}

// DatabaseRights is the check of the database user's privileges.
func DatabaseRights() Check {
	return Check{
		ID: "database-rights", Title: "Privileges of the database user", Levels: []stage.Level{stage.LevelOK, stage.LevelNote, stage.LevelWarning, stage.LevelFail},
		Doc: `Compares the privileges of the database user with those that a backup needs: SELECT on every table. It **fails**
without it. On MySQL and MariaDB, a user without LOCK TABLES and RELOAD reads all tables on one connection, which is
slower (**note**), and a user without TRIGGER, EVENT and EXECUTE cannot see such objects, so they cannot be listed as lost
(**warning**).`,
		Remedy: `GRANT the privileges to the user, or use another user for the backup.`,
	}
}

// Rights is what DatabaseRights examines.
type Rights struct {
	Database string // for GRANT
	// Has reports whether the user has any of the named privileges on the whole database; nil
	// for servers other than MySQL and MariaDB.
	Has func(any ...string) bool
	// Unreadable lists tables and sequences, with their prefix, that the user may not read.
	Unreadable []string
}

// Findings returns the findings of the check DatabaseRights.
func (r Rights) Findings() []stage.ActionFinding {
	c := DatabaseRights()
	var found []stage.ActionFinding
	for i, name := range r.Unreadable {
		f := c.Finding(stage.LevelFail, "the database user may not read %s", name)
		f.Where, f.Remedy = name, "GRANT SELECT ON "+name+" to the user"
		if found = append(found, f); i+1 == mostLines && i+1 < len(r.Unreadable) {
			f = c.Finding(stage.LevelFail, "the database user may not read %d more tables and sequences", len(r.Unreadable)-i-1)
			f.Remedy = "GRANT SELECT on all tables and sequences of the schema to the user"
			found = append(found, f)
			break
		}
	}
	if r.Has == nil {
		return found
	}
	add := func(level stage.Level, what string, grant ...string) {
		f := c.Finding(level, "the database user lacks %s: %s", strings.Join(grant, ", "), what)
		f.Where, f.Remedy = grant[0], fmt.Sprintf("GRANT %s ON %s.* to the user", strings.Join(grant, ", "), r.Database)
		found = append(found, f)
	}
	if !r.Has("SELECT") {
		add(stage.LevelFail, "some tables would be silently omitted", "SELECT")
	}
	if !r.Has("LOCK TABLES", "RELOAD", "FLUSH_TABLES") {
		add(stage.LevelNote, "all tables are read on one connection, which is slower", "LOCK TABLES")
	}
	var unseen []string
	for _, any := range [][]string{{"TRIGGER"}, {"EVENT"}, {"EXECUTE", "SHOW_ROUTINE", "ALTER ROUTINE", "CREATE ROUTINE"}} {
		if !r.Has(any...) {
			unseen = append(unseen, any[0])
		}
	}
	if unseen != nil {
		add(stage.LevelWarning, "triggers, events or routines are hidden from it, so they cannot be listed as lost", unseen...)
	}
	return found
}

// NotTransactional is the check for tables without snapshots.
func NotTransactional() Check {
	return Check{
		ID: "not-transactional", Title: "Tables without transactions", Levels: []stage.Level{stage.LevelOK, stage.LevelWarning},
		Doc: `Lists the tables of MySQL and MariaDB with a storage engine that has no transactions, such as MyISAM. What is
written to them during the backup may be missing from it or not match other tables.`,
		Remedy: "`ALTER TABLE TABLE ENGINE=InnoDB`, or put the site into maintenance mode during backups.",
	}
}

// WithoutTransactions returns the findings of the check NotTransactional, given the storage
// engines of tables. prefix is that of the site's tables.
func WithoutTransactions(engines map[string]string, prefix string) []stage.ActionFinding {
	c := NotTransactional()
	var tables []string
	for table, engine := range engines {
		if engine != "" && !slices.ContainsFunc(transactional, func(t string) bool { return strings.EqualFold(t, engine) }) {
			tables = append(tables, table)
		}
	}
	slices.Sort(tables)
	var found []stage.ActionFinding
	for i, table := range tables {
		if i == mostLines {
			found = append(found, c.Finding(stage.LevelWarning, "%d more tables have no transactions", len(tables)-i))
			break
		}
		f := c.Finding(stage.LevelWarning, "table %s has the engine %s, which has no transactions", table, engines[table])
		f.Where, f.Remedy, f.Exclude = table, fmt.Sprintf("ALTER TABLE %s%s ENGINE=InnoDB", prefix, table), []string{stage.DB + "/" + table}
		found = append(found, f)
	}
	return found
}

// transactional lists the storage engines with consistent snapshots.
var transactional = []string{"InnoDB", "RocksDB", "TokuDB", "NDBCLUSTER"}

// LargeRows is the check that the server can send every row.
func LargeRows() Check {
	return Check{
		ID: "large-rows", Title: "Large rows", Levels: []stage.Level{stage.LevelOK, stage.LevelNote, stage.LevelFail},
		Doc: `On MySQL and MariaDB, compares the largest row of each large table with max_allowed_packet. The server cannot send
a row that is larger, so the check **fails**. It takes at most 20 seconds; tables that are left then are named in a
**note**.`,
		Remedy: `set max_allowed_packet of the server to more than the size of the row, up to 1G.`,
	}
}

// RowSizes is what LargeRows examines.
type RowSizes struct {
	Packet   int64            // max_allowed_packet
	Largest  map[string]int64 // size of the largest row of each measured table
	Measured int              // tables, including those too small for a large row
	Left     []string         // tables that were not measured for lack of time
}

// Findings returns the findings of the check LargeRows.
func (r RowSizes) Findings() []stage.ActionFinding {
	c := LargeRows()
	var found []stage.ActionFinding
	var most int64
	var tables []string
	for table := range r.Largest {
		tables = append(tables, table)
	}
	slices.Sort(tables)
	for _, table := range tables {
		size := r.Largest[table]
		if most = max(most, size); size < r.Packet {
			continue
		}
		f := c.Finding(stage.LevelFail, "table %s has a row of %s, more than max_allowed_packet (%s)", table, bytesOf(size), bytesOf(r.Packet))
		f.Where, f.Remedy, f.Exclude = table, "set max_allowed_packet of the server to more than that", []string{stage.DB + "/" + table}
		found = append(found, f)
	}
	if len(r.Left) > 0 {
		f := c.Finding(stage.LevelNote, "%d large tables were not measured for lack of time", len(r.Left))
		f.Details = Lines(r.Left)
		found = append(found, f)
	}
	if len(found) == 0 {
		return []stage.ActionFinding{c.Finding(stage.LevelOK, "no row is larger than max_allowed_packet (%s)", bytesOf(r.Packet))}
	}
	return found
}
