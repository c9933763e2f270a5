// The tutorial's login flow in Node, to run beside app.py on one database:
//     MONGODB_URI=mongodb://127.0.0.1/test SESSION_SECRET='secret token' PORT=3001 node tutorial.js
'use strict';

const { randomBytes } = require('node:crypto');
const express = require('express');
const session = require('express-session');
const { MongoClient } = require('mongodb');
const MongoDBStore = require('connect-mongodb-session')(session);

const {
    MONGODB_URI = 'mongodb://127.0.0.1:27017/test',
    SESSION_SECRET = 'secret token',
    PORT = '3000'
} = process.env;

const users = new MongoClient(MONGODB_URI).db().collection('users');

const store = new MongoDBStore({ uri: MONGODB_URI, collection: 'sessions' });
store.on('error', (err) => console.error('session store:', err.message));

const app = express();
app.set('views', `${__dirname}/views`);
app.set('view engine', 'ejs');
app.use(express.urlencoded({ extended: false }));
app.use(session({
    secret: SESSION_SECRET,
    resave: false,
    saveUninitialized: true,
    unset: 'destroy',
    store,
    name: 'session-cookie-name',
    genid: () => randomBytes(24).toString('base64url')
}));

app.get('/', (req, res) => res.send('home'));

app.get('/login', (req, res) => res.render('login', { message: null }));

app.post('/login', async (req, res) => {
    try {
        const user = await users.findOne({ email: req.body.email });
        if (user === null) {
            return res.status(401).render('login', { message: 'no such user' });
        }
        req.session.user = { email: user.email, name: user.name };
        res.redirect('/account');
    } catch (err) {
        console.error(err);
        res.sendStatus(500);
    }
});

app.get('/account', (req, res) => {
    if (req.session.user) {
        res.render('account', { user: req.session.user });
    } else {
        res.redirect('/login');
    }
});

app.get('/logout', (req, res) => {
    if (!req.session.user) {
        return res.redirect('/');
    }
    delete req.session.user;
    res.redirect('/login');
});

app.listen(Number(PORT), '127.0.0.1', (err) => {
    if (err) throw err;
    console.log(`listening on ${PORT}`);
});
