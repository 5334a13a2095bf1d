<?php  // Moodle configuration file

unset($CFG);
global $CFG;
$CFG = new stdClass();

$CFG->dbtype = 'mysqli';
$CFG->dbpass = getenv('DB_PASS') ?: die('DB_PASS is not set');
require_once __DIR__ . '/lib/setup.php';
