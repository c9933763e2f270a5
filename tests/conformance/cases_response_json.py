"""Values that JSON lacks, as they are sent: those of MongoDB, dates, errors, and what a replacer leaves out."""

from __future__ import annotations

from .case import Case, gets

CASES = [
    Case(
        "documents of MongoDB",
        js="""
        const { ObjectId, Decimal128, UUID, Binary, Timestamp, DBRef, MinKey, MaxKey, BSONRegExp } = require('mongodb')
        const id = new ObjectId('64b7f0c0c0c0c0c0c0c0c0c0')
        const document = {
          _id: id, name: 'Ada', price: Decimal128.fromString('1.10'), at: new Date(1.5e12),
          uuid: new UUID('00112233-4455-6677-8899-aabbccddeeff'), bytes: new Binary(Buffer.from('abc'), 5),
          stamp: new Timestamp({ t: 5, i: 6 }), ref: new DBRef('users', id), other: new DBRef('a', 1, 'b'),
          least: new MinKey(), most: [new MaxKey()]
        }
        app.get('/json', (req, res) => res.json(document))
        app.get('/send', (req, res) => res.send([document]))
        app.get('/id', (req, res) => res.json(id))
        app.get('/send-id', (req, res) => res.send(id))
        app.get('/jsonp', (req, res) => res.jsonp({ id }))
        app.get('/keys', (req, res) => res.json({ [id]: 1 }))
        app.get('/cookie', (req, res) => res.cookie('a', id).cookie('b', { id }).cookie('c', new Date(0)).end())
        """,
        py="""
        from datetime import datetime, timezone
        from uuid import UUID
        from bson import Binary, DBRef, Decimal128, MaxKey, MinKey, ObjectId, Timestamp
        id = ObjectId('64b7f0c0c0c0c0c0c0c0c0c0')
        document = {
            '_id': id, 'name': 'Ada', 'price': Decimal128('1.10'), 'at': datetime.fromtimestamp(1.5e9, timezone.utc),
            'uuid': UUID('00112233-4455-6677-8899-aabbccddeeff'), 'bytes': Binary(b'abc', 5),
            'stamp': Timestamp(5, 6), 'ref': DBRef('users', id), 'other': DBRef('a', 1, 'b'),
            'least': MinKey(), 'most': [MaxKey()],
        }
        app.get('/json', lambda req, res: res.json(document))
        app.get('/send', lambda req, res: res.send([document]))
        app.get('/id', lambda req, res: res.json(id))
        app.get('/send-id', lambda req, res: res.send(id))
        app.get('/jsonp', lambda req, res: res.jsonp({'id': id}))
        app.get('/keys', lambda req, res: res.json({id: 1}))
        epoch = datetime.fromtimestamp(0, timezone.utc)
        app.get('/cookie', lambda req, res: res.cookie('a', id).cookie('b', {'id': id}).cookie('c', epoch).end())
        """,
        requests=gets("/json /send /id /send-id /jsonp /jsonp?callback=f /keys /cookie"),
    ),
    Case(
        "errors",
        js="""
        const createError = require('http-errors')
        app.get('/error', (req, res) => res.json({ error: new TypeError('secret') }))
        app.get('/http', (req, res) => { throw createError(404, 'no such page') })
        app.get('/more', (req, res) => { throw createError(410, 'gone', { since: 2020 }) })
        app.get('/headers', (req, res) => { throw createError(503, 'later', { headers: { 'Retry-After': '5' } }) })
        app.use((error, req, res, next) => res.status(error.status).json({ error }))
        """,
        py="""
        app.get('/error', lambda req, res: res.json({'error': TypeError('secret')}))
        def failing(path, *given, **more):
            @app.get(path)
            def fail(req, res):
                raise HTTPError(*given, **more)
        failing('/http', 404, 'no such page')
        failing('/more', 410, 'gone', since=2020)
        failing('/headers', 503, 'later', headers={'Retry-After': '5'})
        app.use(lambda error, req, res, next: res.status(error.status).json({'error': error}))
        """,
        requests=gets("/error /http /more /headers"),
    ),
    Case(
        "a replacer that leaves out and converts",
        js="""
        app.set('json replacer', (key, value) => key.startsWith('_') || value === 13 ? undefined
          : value instanceof Set ? [...value] : value instanceof Error ? value.message : value)
        app.get('/keys', (req, res) => res.json({ _id: 1, a: { _b: 2, c: [12, 13, 14], d: 13 }, _c: [] }))
        app.get('/converts', (req, res) => res.json({ tags: new Set(['a']), error: new Error('told') }))
        app.get('/all', (req, res) => res.json(13))
        app.get('/jsonp', (req, res) => res.jsonp(13))
        """,
        py="""
        def replace(key, value):
            if key.startswith('_') or value == 13:
                return undefined
            if isinstance(value, Exception):
                return str(value)
            return list(value) if isinstance(value, set) else value
        app.set('json replacer', replace)
        app.get('/keys', lambda req, res: res.json({'_id': 1, 'a': {'_b': 2, 'c': [12, 13, 14], 'd': 13}, '_c': []}))
        app.get('/converts', lambda req, res: res.json({'tags': {'a'}, 'error': ValueError('told')}))
        app.get('/all', lambda req, res: res.json(13))
        app.get('/jsonp', lambda req, res: res.jsonp(13))
        """,
        requests=gets("/keys /converts /all /jsonp /jsonp?callback=f"),
    ),
    Case(
        "nothing at all",
        js="""
        app.get('/json', (req, res) => res.json(undefined))
        app.get('/send', (req, res) => res.send(undefined))
        app.get('/key', (req, res) => res.json({ a: undefined, b: [undefined] }))
        """,
        py="""
        app.get('/json', lambda req, res: res.json(undefined))
        app.get('/send', lambda req, res: res.send(undefined))
        app.get('/key', lambda req, res: res.json({'a': undefined, 'b': [undefined]}))
        """,
        requests=gets("/json /send /key"),
    ),
]
