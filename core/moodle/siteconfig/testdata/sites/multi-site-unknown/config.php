<?php  // Moodle configuration file

unset($CFG);
global $CFG;
$CFG = new stdClass();

$CFG->dbtype = 'mysqli';
$CFG->dbhost = 'db';
$CFG->dbuser = 'moodle';
switch ($_SERVER['HTTP_HOST']) {
    case 'one.example.org':
    case 'www.one.example.org':
        $CFG->dbname = 'one';
        $CFG->dbpass = 'pw1';
        break;
    case 'two.example.org':
        $CFG->dbname = 'two';
        $CFG->dbpass = 'pw2';
        break;
    default:
        header('HTTP/1.0 404 Not Found');
        exit('no such site');
}
$CFG->prefix = 'mdl_';
$CFG->wwwroot = 'https://' . $_SERVER['HTTP_HOST'];
$CFG->dataroot = "/srv/moodledata/{$CFG->dbname}";
$CFG->directorypermissions = 0750;
require_once(__DIR__ . '/lib/setup.php');
