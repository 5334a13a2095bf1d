<?php  // Moodle configuration file

unset($CFG);
global $CFG;
$CFG = new stdClass();

$CFG->dbtype    = getenv('MOODLE_DOCKER_DBTYPE');
$CFG->dblibrary = 'native';
$CFG->dbhost    = 'db';
$CFG->dbname    = getenv('MOODLE_DOCKER_DBNAME');
$CFG->dbuser    = getenv('MOODLE_DOCKER_DBUSER');
$CFG->dbpass    = getenv('MOODLE_DOCKER_DBPASS');
$CFG->prefix    = 'm_';
$CFG->dboptions = ['dbcollation' => getenv('MOODLE_DOCKER_DBCOLLATION')];

$host = 'localhost';
if (!empty(getenv('MOODLE_DOCKER_WEB_HOST'))) {
    $host = getenv('MOODLE_DOCKER_WEB_HOST');
}
$CFG->wwwroot = "http://{$host}";
$port = getenv('MOODLE_DOCKER_WEB_PORT');
if (!empty($port)) {
    // The port may come with an address: bind_ip:port.
    $parts = explode(':', $port);
    $port = end($parts);
    if ((string)(int)$port === (string)$port) {
        $CFG->wwwroot .= ":{$port}";
    }
}
$CFG->dataroot = '/var/www/moodledata';
$CFG->directorypermissions = 0777;
$CFG->debug = (E_ALL | E_STRICT); // DEBUG_DEVELOPER
$CFG->behat_profiles = array('default' => array('browser' => getenv('MOODLE_DOCKER_BROWSER'), 'wd_host' => 'http://selenium:4444/wd/hub'));
define('PHPUNIT_LONGTEST', true);
if (getenv('MOODLE_DOCKER_APP')) {
    $CFG->behat_ionic_wwwroot = 'http://moodleapp:8100';
}
require_once(__DIR__ . '/lib/setup.php');
