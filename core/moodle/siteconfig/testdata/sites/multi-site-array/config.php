<?php  // Moodle configuration file

unset($CFG);
global $CFG;
$CFG = new stdClass();

$sites = [
    'a.example.org' => ['db' => 'moodle_a', 'data' => '/data/a'],
    'b.example.org' => ['db' => 'moodle_b', 'data' => '/data/b'],
];
$host = $_SERVER['SERVER_NAME'] ?? 'a.example.org';
if (!isset($sites[$host])) { $host = array_keys($sites)[0]; }
$CFG->dbtype = 'pgsql'; $CFG->dbhost = ''; $CFG->dbuser = 'moodle'; $CFG->dbpass = '';
$CFG->dbname = $sites[$host]['db'];
$CFG->dataroot = $sites[$host]['data'];
$CFG->wwwroot = 'https://' . $host;
require_once(__DIR__ . '/lib/setup.php');
