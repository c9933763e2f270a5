// What ours.py does, in Express: a greeting, plain and async, a session that is read, and one that is changed.
'use strict';

const express = require('express');
const session = require('express-session');

const app = express();
app.use('/session', session({ secret: 'secret token', resave: false, saveUninitialized: false }));

app.get('/', (req, res) => res.send('Hello World'));

app.get('/async', async (req, res) => res.send('Hello World'));

app.get('/session/read', (req, res) => res.send(`${req.session.count} ${req.session.user.name}`));

app.get('/session/change', (req, res) => {
    req.session.user = { email: 'ada@example.com', name: 'Ada' };
    req.session.count = (req.session.count || 0) + 1;
    res.send(String(req.session.count));
});

app.listen(Number(process.env.PORT), '127.0.0.1');
