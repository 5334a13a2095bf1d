<?php  // Moodle configuration file

unset($CFG);
global $CFG;
$CFG = new stdClass();

$CFG->dbtype = 'mysqli';
$db = require __DIR__ . DIRECTORY_SEPARATOR . 'db.php';
$CFG->dbhost = $db['host'];
$CFG->dbname = $db['name'];
$CFG->dbuser = 'u';
$CFG->dbpass = 'default';
if (file_exists(__DIR__ . '/config.local.php')) {
    include(__DIR__ . '/config.local.php');
}
if (file_exists(__DIR__ . '/none.php')) {
    include(__DIR__ . '/none.php');
}
@include_once('also-none.php');
$CFG->wwwroot = 'http://localhost';
$CFG->dataroot = dirname(dirname(__DIR__)) . '/data';
require_once(__DIR__ . '/lib/setup.php');
