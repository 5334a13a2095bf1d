<?php  // Moodle configuration file

unset($CFG);
global $CFG;
$CFG = new stdClass();

$CFG->dbtype = $_ENV['DB_TYPE'] ?? 'mysqli';
$CFG->dbhost = $_SERVER['DB_HOST'] ?? $_ENV['DB_HOST'] ?? 'db';
$CFG->dbname = $_SERVER['DB_NAME'];
$CFG->dbuser = @$_ENV['DB_USER'];
$CFG->dbpass = isset($_ENV['DB_PASS']) ? $_ENV['DB_PASS'] : die('DB_PASS is not set');
$CFG->dataroot = array_key_exists('DATA', $_ENV) ? $_ENV['DATA'] : '/data';
$CFG->wwwroot = $_SERVER['MOODLE_URL'] ?? 'http://localhost';
require_once __DIR__ . '/lib/setup.php';
