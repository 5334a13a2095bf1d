<?php  // Moodle configuration file

unset($CFG);
global $CFG;
$CFG = new stdClass();

$CFG->dbtype = 'mysqli';
require_once __DIR__ . '/secrets.php';
require_once(__DIR__ . '/lib/setup.php');
