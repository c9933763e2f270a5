"""``res.render`` with an engine of one's own: where views are found, and what they see."""

from __future__ import annotations

from .case import Case, get, gets, head

ENGINE_JS = r"""
const fill = (file, options, callback) => {
  if (options.fail) return callback(new Error('the engine failed'))
  callback(null, fs.readFileSync(file, 'utf8').replace(/\{\{(\w+)\}\}/g, (_, key) => options[key] ?? ''))
}
app.engine('tpl', fill)
app.set('views', path.join(FILES, 'views'))
"""
ENGINE_PY = r"""
import re
from pathlib import Path
def fill(path, options):
    if options.get('fail'):
        raise Exception('the engine failed')
    return re.sub(r'\{\{(\w+)\}\}', lambda match: options.get(match[1]) or '', Path(path).read_text())
app.engine('tpl', fill)
app.set('views', FILES + '/views')
"""

CASES = [
    Case(
        "render",
        js=ENGINE_JS
        + """
        app.engine('.other', fill)
        app.locals.name = 'app'
        app.get('/', (req, res) => res.render('greeting.tpl', { name: 'tobi', sign: '<!>' }))
        app.get('/app-locals', (req, res) => res.render('greeting.tpl'))
        app.get('/res-locals', (req, res) => { res.locals.name = 'res'; res.render('greeting.tpl') })
        app.get('/order', (req, res) => { res.locals.name = 'res'; res.render('greeting.tpl', { name: 'own' }) })
        app.get('/other', (req, res) => res.render('page.other'))
        app.get('/status', (req, res) => res.status(404).type('txt').render('greeting.tpl'))
        app.get('/folder', (req, res) => res.render('sub/index.tpl'))
        app.get('/absolute', (req, res) => res.render(path.join(FILES, 'more-views', 'only.tpl')))
        app.get('/missing', (req, res) => res.render('missing.tpl'))
        app.get('/no-extension', (req, res) => res.render('greeting'))
        app.get('/no-engine', (req, res) => res.render('page.unknown'))
        app.get('/fails', (req, res) => res.render('greeting.tpl', { fail: true }))
        """,
        py=ENGINE_PY
        + """
app.engine('.other', fill)
app.locals.name = 'app'
app.get('/', lambda req, res: res.render('greeting.tpl', {'name': 'tobi', 'sign': '<!>'}))
app.get('/app-locals', lambda req, res: res.render('greeting.tpl'))
def res_locals(req, res):
    res.locals.name = 'res'
    res.render('greeting.tpl')
app.get('/res-locals', res_locals)
def order(req, res):
    res.locals.name = 'res'
    res.render('greeting.tpl', {'name': 'own'})
app.get('/order', order)
app.get('/other', lambda req, res: res.render('page.other'))
app.get('/status', lambda req, res: res.status(404).type('txt').render('greeting.tpl'))
app.get('/folder', lambda req, res: res.render('sub/index.tpl'))
app.get('/absolute', lambda req, res: res.render(FILES + '/more-views/only.tpl'))
app.get('/missing', lambda req, res: res.render('missing.tpl'))
app.get('/no-extension', lambda req, res: res.render('greeting'))
app.get('/no-engine', lambda req, res: res.render('page.unknown'))
app.get('/fails', lambda req, res: res.render('greeting.tpl', {'fail': True}))
""",
        requests=[
            *gets(
                "/ /app-locals /res-locals /order /other /status /folder /absolute /missing /no-extension /no-engine "
                "/fails"
            ),
            head("/"),
        ],
    ),
    Case(
        "view engine",
        js=ENGINE_JS
        + """
        app.set('view engine', 'tpl')
        app.get('/', (req, res) => res.render('greeting', { name: 'tobi' }))
        app.get('/index', (req, res) => res.render('sub', { name: 'tobi' }))
        app.get('/extension', (req, res) => res.render('greeting.tpl'))
        app.get('/dotted', (req, res) => res.render('greeting.x'))
        app.get('/up', (req, res) => res.render('sub/../greeting'))
        """,
        py=ENGINE_PY
        + """
app.set('view engine', 'tpl')
app.get('/', lambda req, res: res.render('greeting', {'name': 'tobi'}))
app.get('/index', lambda req, res: res.render('sub', {'name': 'tobi'}))
app.get('/extension', lambda req, res: res.render('greeting.tpl'))
app.get('/dotted', lambda req, res: res.render('greeting.x'))
app.get('/up', lambda req, res: res.render('sub/../greeting'))
""",
        requests=gets("/ /index /extension /dotted /up"),
    ),
    *(
        Case(
            f"view cache {value}",
            js=ENGINE_JS
            + f"app.set('view cache', {value}); app.set('view engine', 'tpl')"
            + """
            app.get('/', (req, res, next) =>
              app.render('greeting', { name: 'tobi' }, (error, text) => error ? next(error) : res.send(text)))
            app.get('/move', (req, res) => res.send(String(app.set('views', '/nowhere') === app)))
            """,
            py=ENGINE_PY
            + f"app.set('view cache', {value.capitalize()}); app.set('view engine', 'tpl')"
            + """
app.get('/', lambda req, res: res.send(app.render('greeting', {'name': 'tobi'})))
app.get('/move', lambda req, res: res.send(str(app.set('views', '/nowhere') is app).lower()))
            """,
            requests=[get("/"), get("/move"), get("/", name="moved")],
        )
        for value in ("true", "false")
    ),
    Case(
        "several folders",
        js=ENGINE_JS
        + """
        app.set('view engine', 'tpl').set('views', [path.join(FILES, 'more-views'), path.join(FILES, 'views')])
        app.get('/:view', (req, res) => res.render(req.params.view, { name: 'tobi' }))
        """,
        py=ENGINE_PY
        + """
app.set('view engine', 'tpl').set('views', [FILES + '/more-views', FILES + '/views'])
app.get('/:view', lambda req, res: res.render(req.params.view, {'name': 'tobi'}))
""",
        requests=gets("/greeting /only /sub /missing"),
    ),
    Case(
        "another class of views",
        js="""
        class View {
          constructor (name, { root, defaultEngine }) {
            this.path = name === 'none' ? undefined : 'there'
            this.text = `${name} ${root} ${defaultEngine}`
          }
          render (options, callback) { process.nextTick(callback, null, `${this.text} ${options.a}`) }
        }
        app.set('view', View).set('views', '/views').set('view engine', 'txt')
        app.get('/:name', (req, res) => res.render(req.params.name, { a: 1 }))
        """,
        py="""
        class View:
            def __init__(self, name, root, default_engine, engines):
                self.path = None if name == 'none' else 'there'
                self.text = f"{name} {root} {default_engine}"
            def render(self, options):
                return f"{self.text} {options['a']}"
        app.set('view', View).set('views', '/views').set('view engine', 'txt')
        app.get('/:name', lambda req, res: res.render(req.params.name, {'a': 1}))
        """,
        requests=gets("/some /none"),
    ),
    Case(
        "a sub-app's views",
        js=ENGINE_JS
        + """
        app.set('view engine', 'tpl')
        const sub = express()
        sub.set('views', path.join(FILES, 'more-views'))
        sub.get('/', (req, res) => res.render('greeting', { name: 'sub' }))
        app.locals.sign = 'of the app'
        app.use('/sub', sub, (req, res) => res.render('greeting'))
        """,
        py=ENGINE_PY
        + """
app.set('view engine', 'tpl')
sub = express()
sub.set('views', FILES + '/more-views')
sub.get('/', lambda req, res: res.render('greeting', {'name': 'sub'}))
app.locals.sign = 'of the app'
app.use('/sub', sub, lambda req, res: res.render('greeting'))
""",
        requests=gets("/sub /sub/x"),
    ),
]
