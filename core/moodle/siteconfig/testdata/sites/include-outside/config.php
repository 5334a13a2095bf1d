<?php  // Moodle configuration file

unset($CFG);
global $CFG;
$CFG = new stdClass();

$CFG->dbtype = 'mysqli';
$CFG->dbhost = 'db';
require '/etc/passwd';
$CFG->dbname = 'moodle';
$CFG->dbuser = 'u';
$CFG->wwwroot = 'http://localhost';
$CFG->dataroot = '/data';
require_once(__DIR__ . '/lib/setup.php');
