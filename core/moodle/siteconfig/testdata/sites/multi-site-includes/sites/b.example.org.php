<?php
$CFG->dbname = 'b';
$CFG->dbpass = 'pwb';
