<?php  // Moodle configuration file

unset($CFG);
global $CFG;
$CFG = new stdClass();

$CFG->dbtype    = getenv('MOODLE_DB_TYPE') ?: 'pgsql';
$CFG->dblibrary = 'native';
$CFG->dbhost    = getenv('MOODLE_DB_HOST') ?: 'postgres';
$CFG->dbname    = getenv('MOODLE_DB_NAME');
$CFG->dbuser    = getenv('MOODLE_DB_USER');
$CFG->dbpass    = getenv('MOODLE_DB_PASSWORD');
$CFG->prefix    = getenv('MOODLE_DB_PREFIX') ?: 'mdl_';
$CFG->dboptions = [
    'dbpersist' => false,
    'dbport' => getenv('MOODLE_DB_PORT') ?: '',
    'dbsocket' => getenv('MOODLE_DB_SOCKET') ?: '',
];
$CFG->wwwroot   = getenv('MOODLE_URL');
$CFG->dataroot  = '/var/www/moodledata';
$CFG->sslproxy  = filter_var(getenv('MOODLE_SSLPROXY'), FILTER_VALIDATE_BOOLEAN);
$CFG->reverseproxy = (bool) getenv('MOODLE_REVERSEPROXY');
if (getenv('MOODLE_REDIS_HOST')) {
    $CFG->session_handler_class = '\core\session\redis';
    $CFG->session_redis_host = getenv('MOODLE_REDIS_HOST');
    $CFG->session_redis_port = (int) (getenv('MOODLE_REDIS_PORT') ?: 6379);
}
require_once(__DIR__ . '/lib/setup.php');
