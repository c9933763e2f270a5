// The app of tests/sessions/served.py in Express, to run beside it on one database. STORE names the store's package.
'use strict';

const express = require('express');
const session = require('express-session');

const { MONGODB_URI, PORT, STORE } = process.env;

function makeStore() {
    if (STORE === 'connect-mongo') {
        return require('connect-mongo').MongoStore.create({ mongoUrl: MONGODB_URI });
    }
    const store = new (require('connect-mongodb-session')(session))({ uri: MONGODB_URI });
    store.on('error', (err) => console.error('session store:', err.message));
    return store;
}

const app = express();
app.use(session({
    secret: 'keyboard cat',
    resave: false,
    saveUninitialized: false,
    store: makeStore(),
    cookie: { maxAge: 3600000, sameSite: 'lax', priority: 'high' }
}));

app.get('/read', (req, res) => {
    const { cookie, ...data } = req.session;
    res.json(data);
});

app.get('/set', (req, res) => {
    req.session[req.query.key] = JSON.parse(req.query.value);
    res.end();
});

app.get('/date', (req, res) => {
    req.session[req.query.key] = new Date(Number(req.query.value));
    res.end();
});

app.get('/delete', (req, res) => {
    delete req.session[req.query.key];
    res.end();
});

app.get('/login', (req, res, next) => req.session.regenerate((error) => {
    if (error) return next(error);
    req.session.user = { name: req.query.user, roles: ['reader', { deep: null }] };
    res.end();
}));

app.get('/logout', (req, res, next) => req.session.destroy((error) => error ? next(error) : res.end()));

app.get('/cookie', (req, res) => {
    const cookie = req.session.cookie;
    res.json([
        cookie.originalMaxAge, cookie.httpOnly, cookie.path, cookie.domain, cookie.secure, cookie.sameSite,
        cookie.partitioned, cookie.priority, cookie.maxAge > 3500000 && cookie.maxAge <= 3600000
    ]);
});

app.listen(Number(PORT), '127.0.0.1');
