// The app of tests/sessions/served.py in Express, to run beside it on one database. STORE names the store's package.
'use strict';

const express = require('express');
const session = require('express-session');

const { MONGODB_URI, PORT, STORE } = process.env;
const OPTIONS = {
    maxAge: 3600000,
    rolling: false,
    expiresKey: 'expires',
    expiresAfterSeconds: 0,
    ...JSON.parse(process.env.OPTIONS ?? '{}')
};

function makeStore() {
    if (STORE === 'connect-mongo') {
        return require('connect-mongo').MongoStore.create({ mongoUrl: MONGODB_URI });
    }
    const store = new (require('connect-mongodb-session')(session))({
        uri: MONGODB_URI,
        expiresKey: OPTIONS.expiresKey,
        expiresAfterSeconds: OPTIONS.expiresAfterSeconds
    });
    store.on('error', (err) => console.error('session store:', err.message));
    return store;
}

const store = makeStore();
const app = express();
app.use(session({
    secret: 'keyboard cat',
    resave: false,
    saveUninitialized: false,
    rolling: OPTIONS.rolling,
    store,
    cookie: { maxAge: OPTIONS.maxAge, sameSite: 'lax', priority: 'high' }
}));

app.get('/read', (req, res) => {
    const { cookie, ...data } = req.session;
    res.json(data);
});

function setKey(req, res) {
    req.session[req.query.key] = JSON.parse(req.query.value);
    res.end();
}

app.get('/set', setKey);

app.get('/slow', (req, res) => setTimeout(setKey, 300, req, res));

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

app.get('/all', (req, res, next) => store.all((error, all) => error ? next(error) : res.json(all.length)));

app.get('/cookie', (req, res) => {
    const cookie = req.session.cookie;
    res.json([
        cookie.originalMaxAge, cookie.httpOnly, cookie.path, cookie.domain, cookie.secure, cookie.sameSite,
        cookie.partitioned, cookie.priority, cookie.maxAge > 3500000 && cookie.maxAge <= 3600000
    ]);
});

app.listen(Number(PORT), '127.0.0.1');
