<?php  // Moodle configuration file

unset($CFG);
global $CFG;
$CFG = new stdClass();

$url = parse_url(getenv('DATABASE_URL'));
$CFG->dbtype = $url['scheme'] === 'postgres' ? 'pgsql' : 'mysqli';
$CFG->dbhost = $url['host'];
$CFG->dbname = ltrim($url['path'], '/');
$CFG->dbuser = urldecode($url['user']);
$CFG->dbpass = urldecode($url['pass']);
$CFG->dboptions = ['dbport' => $url['port'] ?? 5432];
$CFG->wwwroot = getenv('APP_URL') ?: 'https://' . getenv('HEROKU_APP_NAME') . '.herokuapp.com';
$CFG->dataroot = '/app/moodledata';
require_once __DIR__ . '/lib/setup.php';
