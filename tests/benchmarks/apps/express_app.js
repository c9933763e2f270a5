// What ours.py does, in Express: a greeting, plain and async, a session, a JSON body, a file and a view.
'use strict';

const express = require('express');
const session = require('express-session');

const USERS = Array.from({ length: 100 }, (_, number) => (
    { id: number, name: `Ada <${number}>`, email: `ada${number}@example.com`, admin: number % 2 === 0 }
));

const app = express();
app.use('/session', session({ secret: 'secret token', resave: false, saveUninitialized: false }));
app.use('/files', express.static(process.env.FILES || '.'));

app.get('/', (req, res) => res.send('Hello World'));

app.get('/async', async (req, res) => res.send('Hello World'));

app.get('/session/read', (req, res) => res.send(`${req.session.count} ${req.session.user.name}`));

app.get('/session/change', (req, res) => {
    req.session.user = { email: 'ada@example.com', name: 'Ada' };
    req.session.count = (req.session.count || 0) + 1;
    res.send(String(req.session.count));
});

app.post('/order', express.json(), (req, res) => res.json({ customer: req.body.customer }));

app.get('/view', (req, res) => res.render('rows.ejs', { title: 'Users', users: USERS }));

app.listen(Number(process.env.PORT), '127.0.0.1');
