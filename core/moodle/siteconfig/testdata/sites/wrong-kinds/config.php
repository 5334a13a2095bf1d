<?php  // Moodle configuration file

unset($CFG);
global $CFG;
$CFG = new stdClass();

$CFG->dbtype = ['mysqli'];
$CFG->dbhost = "db\0x";
$CFG->dbname = null;
$CFG->dbpass = "line\nbreak";
require __DIR__ . '/lib/setup.php';
