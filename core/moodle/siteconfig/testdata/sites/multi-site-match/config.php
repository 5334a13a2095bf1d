<?php  // Moodle configuration file

unset($CFG);
global $CFG;
$CFG = new stdClass();

$CFG->dbtype = 'mysqli'; $CFG->dbhost = 'db'; $CFG->dbuser = 'm'; $CFG->dbpass = 'p';
[$CFG->dbname, $CFG->dataroot] = match ($_SERVER['HTTP_HOST'] ?? null) {
    'a.example.org', 'www.a.example.org' => ['a', '/data/a'],
    'b.example.org' => ['b', '/data/b'],
    default => throw new Exception('unknown host'),
};
$CFG->wwwroot = 'https://' . $_SERVER['HTTP_HOST'];
require_once(__DIR__ . '/lib/setup.php');
