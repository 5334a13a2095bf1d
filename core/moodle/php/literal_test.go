package php

import (
	"reflect"
	"testing"
)

func TestLiteralsAreFoundWithTheirPlaces(t *testing.T) {
	src := `<?php // Moodle's configuration
unset($CFG); global $CFG; $CFG = new stdClass();
$CFG->dbtype  = 'mariadb'; // the engine
$CFG->dbname = "moo" . 'dle';
$CFG->dbhost = getenv('DB') ? 'a' : "b";
$CFG->dbuser='it\'s';
$CFG->dboptions = array ('dbport' => -1, 'dbsocket' => false,);
$CFG->prefix = 'm_';
$CFG->prefix = 'mdl_';
if ($CFG->wwwroot == 'x') { $CFG->dbpass = 'a'; }
$CFG->port = 0x10;
$CFG->list[] = 'x';
require_once(__DIR__ . '/lib/setup.php');
`
	literals, others, err := Literals("config.php", src, "CFG")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, l := range literals {
		got[l.Property] = src[l.From:l.To]
		if src[l.End-1] != ';' {
			t.Errorf("%s ends at %q", l.Property, src[:l.End])
		}
	}
	if want := map[string]string{"dbtype": "'mariadb'", "dbuser": `'it\'s'`, "dboptions": "array ('dbport' => -1, 'dbsocket' => false,)", "port": "0x10"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if want := []string{"dbhost", "dbname", "dbpass", "list", "prefix"}; !reflect.DeepEqual(others, want) {
		t.Errorf("others %q, want %q", others, want)
	}
}

func TestBlocksWithoutBracesHoldNoLiterals(t *testing.T) {
	for _, src := range []string{
		"<?php if ($x): $CFG->a = 1; endif;",
		"<?php if ($x) $CFG->a = 1;",
		"<?php if ($x) { } else $CFG->a = 1;",
		"<?php function f() { $CFG->a = 1; }",
		"<?php $y = $CFG->a = 1;",
	} {
		literals, others, err := Literals("config.php", src, "CFG")
		if err != nil || len(literals) != 0 || !reflect.DeepEqual(others, []string{"a"}) {
			t.Errorf("%s: %v, %v, %v", src, literals, others, err)
		}
	}
}
