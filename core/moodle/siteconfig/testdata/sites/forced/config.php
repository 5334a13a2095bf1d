<?php  // Moodle configuration file

unset($CFG);
global $CFG;
$CFG = new stdClass();

$CFG->dbtype    = 'mariadb';
$CFG->dblibrary = 'native';
$CFG->dbhost    = 'localhost';
$CFG->dbname    = 'moodle';
$CFG->dbuser    = 'moodleuser';
$CFG->dbpass    = 'secret';
$CFG->prefix    = 'mdl_';
$CFG->dboptions = array (
  'dbpersist' => 0,
  'dbport' => '',
  'dbsocket' => '',
  'dbcollation' => 'utf8mb4_unicode_ci',
);

$CFG->wwwroot   = 'https://moodle.example.org';
$CFG->dataroot  = '/var/moodledata';
$CFG->admin     = 'admin';

$CFG->directorypermissions = 02777;

$CFG->maxbytes = 20 * 1024 * 1024;
$CFG->noemailever = true;
$CFG->cachejs = false;
$CFG->passwordpeppers = [1 => '#GV]NLie|x$H9[$rW%94bXZvJHa%z'];
$CFG->forced_plugin_settings = array(
    'quiz' => array('attempts' => 3, 'overduehandling' => 'autoabandon'),
    'auth_ldap' => ['bind_pw' => getenv('LDAP_PW') ?: 'ldap secret', 'host_url' => 'ldap://' . gethostname()],
);
$CFG->forced_plugin_settings['logstore_standard'] = ['loglifetime' => 365 * 2];
$CFG->forced_plugin_settings['tool_vault']['allowrestore'] = 0;
$CFG->forced_plugin_settings = array_merge($CFG->forced_plugin_settings ?? [], ['tool_x' => ['y' => 1.5]]);
$CFG->customscripts = $CFG->dataroot . '/custom';
$CFG->tempdir = "{$CFG->dataroot}/temp";
$CFG->{'local_odd-name'} = <<<EOT
several
  lines with $CFG->dbname
EOT;
$CFG->raw = <<<'EOT'
no $variables here
EOT;
require_once(__DIR__ . '/lib/setup.php');

// There is no php closing tag in this file,
// it is intentional because it prevents trailing whitespace problems!
