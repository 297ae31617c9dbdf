'use strict';

module.exports = require('../../app/router');
