<?php
// nothing yet
