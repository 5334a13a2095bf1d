<?php
$CFG->dbname = 'a';
$CFG->dbpass = 'pwa';
