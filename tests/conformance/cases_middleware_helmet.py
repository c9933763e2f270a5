"""``helmet``: npm helmet 8.3.0."""

from __future__ import annotations

from .case import Case, get, gets, head, send

# Options that are refused when the middleware is made, each in JavaScript and in Python.
REFUSED = [
    ("{ hsts: true, strictTransportSecurity: true }", "hsts=True, strict_transport_security=True"),
    ("{ noSniff: true, xContentTypeOptions: false }", "no_sniff=True, x_content_type_options=False"),
    (
        "{ dnsPrefetchControl: true, xDnsPrefetchControl: true }",
        "dns_prefetch_control=True, x_dns_prefetch_control=True",
    ),
    ("{ ieNoOpen: true, xDownloadOptions: true }", "ie_no_open=True, x_download_options=True"),
    ("{ frameguard: true, xFrameOptions: true }", "frameguard=True, x_frame_options=True"),
    (
        "{ permittedCrossDomainPolicies: true, xPermittedCrossDomainPolicies: true }",
        "permitted_cross_domain_policies=True, x_permitted_cross_domain_policies=True",
    ),
    ("{ hidePoweredBy: true, xPoweredBy: true }", "hide_powered_by=True, x_powered_by=True"),
    ("{ xssFilter: true, xXssProtection: true }", "xss_filter=True, x_xss_protection=True"),
    ("{ crossOriginEmbedderPolicy: { policy: 'none' } }", "cross_origin_embedder_policy={'policy': 'none'}"),
    ("{ crossOriginEmbedderPolicy: { policy: '' } }", "cross_origin_embedder_policy={'policy': ''}"),
    ("{ crossOriginOpenerPolicy: { policy: 'SAME-ORIGIN' } }", "cross_origin_opener_policy={'policy': 'SAME-ORIGIN'}"),
    ("{ crossOriginResourcePolicy: { policy: null } }", "cross_origin_resource_policy={'policy': None}"),
    ("{ referrerPolicy: { policy: [] } }", "referrer_policy={'policy': []}"),
    ("{ referrerPolicy: { policy: 'NO-REFERRER' } }", "referrer_policy={'policy': 'NO-REFERRER'}"),
    ("{ referrerPolicy: { policy: ['origin', 'origin'] } }", "referrer_policy={'policy': ['origin', 'origin']}"),
    ("{ referrerPolicy: { policy: ['origin', 1] } }", "referrer_policy={'policy': ['origin', 1]}"),
    ("{ hsts: { maxAge: -1 } }", "hsts={'max_age': -1}"),
    ("{ hsts: { maxAge: NaN } }", "hsts={'max_age': float('nan')}"),
    ("{ hsts: { maxAge: Infinity } }", "hsts={'max_age': float('inf')}"),
    ("{ hsts: { maxAge: '123' } }", "hsts={'max_age': '123'}"),
    ("{ hsts: { maxAge: true } }", "hsts={'max_age': True}"),
    ("{ hsts: { maxage: 1 } }", "hsts={'maxage': 1}"),
    ("{ hsts: { includeSubdomains: true } }", "hsts={'include_subdomains': True}"),
    ("{ xFrameOptions: { action: 'allow-from' } }", "x_frame_options={'action': 'allow-from'}"),
    ("{ xFrameOptions: { action: '' } }", "x_frame_options={'action': ''}"),
    ("{ xFrameOptions: { action: null } }", "x_frame_options={'action': None}"),
    (
        "{ xPermittedCrossDomainPolicies: { permittedPolicies: 'ALL' } }",
        "x_permitted_cross_domain_policies={'permitted_policies': 'ALL'}",
    ),
]

# The same of a Content-Security-Policy: its directives.
REFUSED_DIRECTIVES = [
    *[
        (f"{{ '{name}': ['x.example'] }}", f"{{'{name}': ['x.example']}}")
        for name in ("", ";", "á", "default src", " a", "a ", "a;b", "a,b", "a!b", "Default-Src", "-a", "a-", "_a")
    ],
    ("{ defaultSrc: ['a'], 'default-src': ['a'] }", "{'default_src': ['a'], 'default-src': ['a']}"),
    ("{ scriptSrc: ['a'], 'script-src': null }", "{'script_src': ['a'], 'script-src': None}"),
    *[
        (f"{{ scriptSrc: {value} }}", f"{{'script_src': {value}}}")
        for value in ("[';']", "[',']", "['a;b']", "'a,b'", "0", "1", "[\"'self'\", 'self']", "'none'", "'nonce-1'")
    ],
    *[
        (f"{{ imgSrc: ['{value}'] }}", f"{{'img_src': ['{value}']}}")
        for value in (
            "strict-dynamic",
            "report-sample",
            "inline-speculation-rules",
            "unsafe-inline",
            "unsafe-eval",
            "unsafe-hashes",
            "wasm-unsafe-eval",
            "sha256-a",
            "sha384-a",
            "sha512-a",
        )
    ],
    ("{ scriptSrc: false }", "{'script_src': False}"),
    ("{ scriptSrc: undefined }", "{'script_src': ...}"),
    ("{ scriptSrc: () => 'a' }", "{'script_src': lambda req, res: 'a'}"),
    ("{ defaultSrc: null }", "{'default_src': None}"),
    ("{ scriptSrc: disable }", "{'script_src': disable}"),
]


def one_app_each(options: dict[str, tuple[str, str]]) -> Case:
    """An app with a path for each of these options, which are given in JavaScript and in Python."""
    js = "\n".join(f"app.use('/{path}', helmet({js}))" for path, (js, _) in options.items())
    py = "\n".join(f"app.use('/{path}', helmet({py}))" for path, (_, py) in options.items())
    return Case(
        "options",
        f"const helmet = require('helmet')\n{js}\napp.use((req, res) => res.send('hello'))",
        f"{py}\napp.use(lambda req, res: res.send('hello'))",
        [get(f"/{path}") for path in options],
    )


CASES = [
    Case(
        "defaults",
        js="""
        app.use(require('helmet')())
        app.get('/', (req, res) => res.send('hello'))
        app.get('/own', (req, res) => res.set('X-Frame-Options', 'DENY').send('hello'))
        app.get('/broken', () => { throw new Error('no') })
        """,
        py="""
        app.use(helmet())
        app.get('/', lambda req, res: res.send('hello'))
        app.get('/own', lambda req, res: res.set('X-Frame-Options', 'DENY').send('hello'))
        def fail(req, res):
            raise ValueError('no')
        app.get('/broken', fail)
        """,
        requests=[get("/"), head("/"), get("/own"), get("/broken"), get("/missing"), send("OPTIONS", "/")],
    ),
    one_app_each(
        {
            "csp-off": ("{ contentSecurityPolicy: false }", "content_security_policy=False"),
            "csp-on": ("{ contentSecurityPolicy: true }", "content_security_policy=True"),
            "csp-empty": ("{ contentSecurityPolicy: {} }", "content_security_policy={}"),
            "csp-directives": (
                "{ contentSecurityPolicy: { directives: { scriptSrc: [\"'self'\", 'x.example'], 'base-uri': null } } }",
                "content_security_policy={'directives': {'script_src': [\"'self'\", 'x.example'], 'base-uri': None}}",
            ),
            "coep-on": ("{ crossOriginEmbedderPolicy: true }", "cross_origin_embedder_policy=True"),
            "coep-off": ("{ crossOriginEmbedderPolicy: false }", "cross_origin_embedder_policy=False"),
            "coep-empty": ("{ crossOriginEmbedderPolicy: {} }", "cross_origin_embedder_policy={}"),
            **{
                f"coep-{policy}": (
                    f"{{ crossOriginEmbedderPolicy: {{ policy: '{policy}' }} }}",
                    f"cross_origin_embedder_policy={{'policy': '{policy}'}}",
                )
                for policy in ("require-corp", "credentialless", "unsafe-none")
            },
            "coop-off": ("{ crossOriginOpenerPolicy: false }", "cross_origin_opener_policy=False"),
            **{
                f"coop-{policy}": (
                    f"{{ crossOriginOpenerPolicy: {{ policy: '{policy}' }} }}",
                    f"cross_origin_opener_policy={{'policy': '{policy}'}}",
                )
                for policy in ("same-origin", "same-origin-allow-popups", "noopener-allow-popups", "unsafe-none")
            },
            "corp-off": ("{ crossOriginResourcePolicy: false }", "cross_origin_resource_policy=False"),
            **{
                f"corp-{policy}": (
                    f"{{ crossOriginResourcePolicy: {{ policy: '{policy}' }} }}",
                    f"cross_origin_resource_policy={{'policy': '{policy}'}}",
                )
                for policy in ("same-origin", "same-site", "cross-origin")
            },
            "oac-off": ("{ originAgentCluster: false }", "origin_agent_cluster=False"),
            "referrer-off": ("{ referrerPolicy: false }", "referrer_policy=False"),
            "referrer-one": (
                "{ referrerPolicy: { policy: 'same-origin' } }",
                "referrer_policy={'policy': 'same-origin'}",
            ),
            "referrer-empty": ("{ referrerPolicy: { policy: '' } }", "referrer_policy={'policy': ''}"),
            "referrer-list": (
                "{ referrerPolicy: { policy: ['no-referrer', 'strict-origin-when-cross-origin'] } }",
                "referrer_policy={'policy': ['no-referrer', 'strict-origin-when-cross-origin']}",
            ),
            "hsts-off": ("{ strictTransportSecurity: false }", "strict_transport_security=False"),
            "hsts-old-off": ("{ hsts: false }", "hsts=False"),
            "hsts-age": ("{ hsts: { maxAge: 123.9 } }", "hsts={'max_age': 123.9}"),
            "hsts-zero": ("{ strictTransportSecurity: { maxAge: 0 } }", "strict_transport_security={'max_age': 0}"),
            "hsts-all": (
                "{ strictTransportSecurity: { maxAge: 1, includeSubDomains: false, preload: true } }",
                "strict_transport_security={'max_age': 1, 'include_sub_domains': False, 'preload': True}",
            ),
            "hsts-preload": ("{ hsts: { preload: true } }", "hsts={'preload': True}"),
            "sniff-off": ("{ noSniff: false }", "no_sniff=False"),
            "sniff-new-off": ("{ xContentTypeOptions: false }", "x_content_type_options=False"),
            "dns-allow": ("{ xDnsPrefetchControl: { allow: true } }", "x_dns_prefetch_control={'allow': True}"),
            "dns-old": ("{ dnsPrefetchControl: { allow: false } }", "dns_prefetch_control={'allow': False}"),
            "dns-off": ("{ dnsPrefetchControl: false }", "dns_prefetch_control=False"),
            "download-off": ("{ xDownloadOptions: false }", "x_download_options=False"),
            "download-old-off": ("{ ieNoOpen: false }", "ie_no_open=False"),
            "frame-off": ("{ xFrameOptions: false }", "x_frame_options=False"),
            "frame-deny": ("{ frameguard: { action: 'deny' } }", "frameguard={'action': 'deny'}"),
            "frame-case": ("{ xFrameOptions: { action: 'sAmE-OrIgIn' } }", "x_frame_options={'action': 'sAmE-OrIgIn'}"),
            "flash-off": ("{ xPermittedCrossDomainPolicies: false }", "x_permitted_cross_domain_policies=False"),
            **{
                f"flash-{policy}": (
                    f"{{ permittedCrossDomainPolicies: {{ permittedPolicies: '{policy}' }} }}",
                    f"permitted_cross_domain_policies={{'permitted_policies': '{policy}'}}",
                )
                for policy in ("none", "master-only", "by-content-type", "all")
            },
            "powered-off": ("{ xPoweredBy: false }", "x_powered_by=False"),
            "powered-old-off": ("{ hidePoweredBy: false }", "hide_powered_by=False"),
            "xss-off": ("{ xXssProtection: false }", "x_xss_protection=False"),
            "xss-old-off": ("{ xssFilter: false }", "xss_filter=False"),
        }
    ),
    Case(
        "one field alone",
        js="""
        const helmet = require('helmet')
        const middlewares = {
          csp: helmet.contentSecurityPolicy(), coep: helmet.crossOriginEmbedderPolicy(),
          coop: helmet.crossOriginOpenerPolicy({ policy: 'unsafe-none' }), corp: helmet.crossOriginResourcePolicy(),
          oac: helmet.originAgentCluster(), referrer: helmet.referrerPolicy(), hsts: helmet.hsts({ maxAge: 5 }),
          'hsts-new': helmet.strictTransportSecurity(), sniff: helmet.noSniff(),
          'sniff-new': helmet.xContentTypeOptions(),
          dns: helmet.dnsPrefetchControl({ allow: true }), 'dns-new': helmet.xDnsPrefetchControl(),
          download: helmet.ieNoOpen(), 'download-new': helmet.xDownloadOptions(), frame: helmet.frameguard(),
          'frame-new': helmet.xFrameOptions({ action: 'DENY' }), flash: helmet.permittedCrossDomainPolicies(),
          'flash-new': helmet.xPermittedCrossDomainPolicies(), powered: helmet.hidePoweredBy(),
          'powered-new': helmet.xPoweredBy(), xss: helmet.xssFilter(), 'xss-new': helmet.xXssProtection()
        }
        for (const name in middlewares) app.use('/' + name, middlewares[name])
        app.use((req, res) => res.send('hello'))
        """,
        py="""
        middlewares = {
            'csp': helmet.content_security_policy(), 'coep': helmet.cross_origin_embedder_policy(),
            'coop': helmet.cross_origin_opener_policy(policy='unsafe-none'),
            'corp': helmet.cross_origin_resource_policy(), 'oac': helmet.origin_agent_cluster(),
            'referrer': helmet.referrer_policy(), 'hsts': helmet.hsts(max_age=5),
            'hsts-new': helmet.strict_transport_security(), 'sniff': helmet.no_sniff(),
            'sniff-new': helmet.x_content_type_options(), 'dns': helmet.dns_prefetch_control(allow=True),
            'dns-new': helmet.x_dns_prefetch_control(), 'download': helmet.ie_no_open(),
            'download-new': helmet.x_download_options(), 'frame': helmet.frameguard(),
            'frame-new': helmet.x_frame_options(action='DENY'), 'flash': helmet.permitted_cross_domain_policies(),
            'flash-new': helmet.x_permitted_cross_domain_policies(), 'powered': helmet.hide_powered_by(),
            'powered-new': helmet.x_powered_by(), 'xss': helmet.xss_filter(), 'xss-new': helmet.x_xss_protection(),
        }
        for name, middleware in middlewares.items():
            app.use(f'/{name}', middleware)
        app.use(lambda req, res: res.send('hello'))
        """,
        requests=gets(
            "/csp /coep /coop /corp /oac /referrer /hsts /hsts-new /sniff /sniff-new /dns /dns-new /download "
            "/download-new /frame /frame-new /flash /flash-new /powered /powered-new /xss /xss-new"
        ),
    ),
    Case(
        "content security policy",
        js="""
        const { contentSecurityPolicy: csp } = require('helmet')
        const disable = csp.dangerouslyDisableDefaultSrc
        const policies = {
          kebab: { useDefaults: false, directives: { 'default-src': ["'self'"], 'script-src': ['x.example'] } },
          camel: { useDefaults: false, directives: { defaultSrc: ["'self'"], scriptSrc: ['x.example'] } },
          mixed: { useDefaults: false, directives: { 'default-src': ["'self'"], objectSrc: ["'none'"] } },
          lists: { useDefaults: false, directives: { defaultSrc: new Set(["'self'"]), sandbox: [] } },
          texts: { useDefaults: false, directives: {
            defaultSrc: "'self'  x.example", scriptSrc: "'none'", sandbox: '' } },
          empty: { useDefaults: false, directives: { defaultSrc: ['', 'x.example'], sandbox: [''] } },
          null: { useDefaults: false, directives: { defaultSrc: "'self'", scriptSrc: null } },
          over: { directives: { defaultSrc: ["'self'", 'x.example'], baseUri: null, scriptSrc: ['x.example'] } },
          new: { directives: { workerSrc: "'none'", 'require-trusted-types-for': "'script'" } },
          own: { directives: { anythingElse42: ['x'] } },
          report: { useDefaults: false, directives: { defaultSrc: "'self'", reportTo: 'here' }, reportOnly: true },
          enforced: { reportOnly: false },
          'without-default': { useDefaults: false, directives: { defaultSrc: disable, scriptSrc: "'self'" } },
          'without-default-of': { directives: { defaultSrc: disable } },
          'without-all-but': { directives: { defaultSrc: disable, upgradeInsecureRequests: null } },
          defaults: { useDefaults: false, directives: csp.getDefaultDirectives() },
          many: { useDefaults: false, directives: {
            defaultSrc: ["'nonce-abc'", "'sha256-abc'", 'https:', 'nonce', '*'] } }
        }
        for (const name in policies) app.use('/' + name, csp(policies[name]))
        app.use((req, res) => res.send('hello'))
        """,
        py="""
        csp = helmet.content_security_policy
        disable = csp.dangerously_disable_default_src
        policies = {
            'kebab': {'use_defaults': False, 'directives': {'default-src': ["'self'"], 'script-src': ['x.example']}},
            'camel': {'use_defaults': False, 'directives': {'default_src': ["'self'"], 'script_src': ['x.example']}},
            'mixed': {'use_defaults': False, 'directives': {'default-src': ["'self'"], 'object_src': ["'none'"]}},
            'lists': {'use_defaults': False, 'directives': {'default_src': {"'self'"}, 'sandbox': iter([])}},
            'texts': {'use_defaults': False, 'directives': {
                'default_src': "'self'  x.example", 'script_src': "'none'", 'sandbox': ''}},
            'empty': {'use_defaults': False, 'directives': {'default_src': ['', 'x.example'], 'sandbox': ['']}},
            'null': {'use_defaults': False, 'directives': {'default_src': "'self'", 'script_src': None}},
            'over': {'directives': {
                'default_src': ["'self'", 'x.example'], 'base_uri': None, 'script_src': ['x.example']}},
            'new': {'directives': {'worker_src': "'none'", 'require-trusted-types-for': "'script'"}},
            'own': {'directives': {'anything_else42': ['x']}},
            'report': {'use_defaults': False, 'directives': {'default_src': "'self'", 'report_to': 'here'},
                       'report_only': True},
            'enforced': {'report_only': False},
            'without-default': {'use_defaults': False, 'directives': {'default_src': disable, 'script_src': "'self'"}},
            'without-default-of': {'directives': {'default_src': disable}},
            'without-all-but': {'directives': {'default_src': disable, 'upgrade_insecure_requests': None}},
            'defaults': {'use_defaults': False, 'directives': csp.get_default_directives()},
            'many': {'use_defaults': False, 'directives': {
                'default_src': ["'nonce-abc'", "'sha256-abc'", 'https:', 'nonce', '*']}},
        }
        for name, options in policies.items():
            app.use(f'/{name}', csp(**options))
        app.use(lambda req, res: res.send('hello'))
        """,
        requests=gets(
            "/kebab /camel /mixed /lists /texts /empty /null /over /new /own /report /enforced /without-default "
            "/without-default-of /without-all-but /defaults /many"
        ),
    ),
    Case(
        "directives by request",
        js="""
        const { contentSecurityPolicy: csp } = require('helmet')
        app.use((req, res, next) => { res.locals.nonce = 'abc'; next() })
        app.use('/nonce', csp({ directives: { scriptSrc: ["'self'", (req, res) => `'nonce-${res.locals.nonce}'`] } }))
        app.use('/request', csp({ useDefaults: false, directives: {
          defaultSrc: [(req) => req.query.host || '', "'self'"], sandbox: [], formAction: [''] } }))
        app.use('/throws', csp({ directives: { scriptSrc: [() => { throw new Error('no') }] } }))
        app.use('/number', csp({ directives: { scriptSrc: [() => 5] } }))
        app.use((req, res) => res.send('hello'))
        """,
        py="""
        csp = helmet.content_security_policy
        def set_nonce(req, res, next):
            res.locals.nonce = 'abc'
            next()
        app.use(set_nonce)
        app.use('/nonce', csp(directives={'script_src': ["'self'", lambda req, res: f"'nonce-{res.locals.nonce}'"]}))
        app.use('/request', csp(use_defaults=False, directives={
            'default_src': [lambda req: req.query.host or '', "'self'"], 'sandbox': [], 'form_action': ['']}))
        def fail(req, res):
            raise ValueError('no')
        app.use('/throws', csp(directives={'script_src': [fail]}))
        app.use('/number', csp(directives={'script_src': [lambda req, res: 5]}))
        app.use(lambda req, res: res.send('hello'))
        """,
        requests=[
            *gets("/nonce /request /request?host=x.example /request?host=a%20b /throws /number"),
            *gets("/request?host=a;b /request?host=a,b /request?host=self /request?host=nonce-a"),
            get("/request?host=x%0d%0aX:y"),
        ],
    ),
    Case(
        "options that are refused",
        "const helmet = require('helmet')\n"
        "const fails = (make) => { try { make(); return false } catch { return true } }\n"
        f"const refused = [{', '.join(f'fails(() => helmet({js}))' for js, _ in REFUSED)}]\n"
        "app.get('/', (req, res) => res.json(refused))",
        "def fails(make):\n"
        "    try:\n"
        "        make()\n"
        "    except TypeError:\n"
        "        return True\n"
        "    return False\n"
        f"refused = [{', '.join(f'fails(lambda: helmet({py}))' for _, py in REFUSED)}]\n"
        "app.get('/', lambda req, res: res.json(refused))",
        [get("/")],
    ),
    Case(
        "directives that are refused",
        "const { contentSecurityPolicy: csp } = require('helmet')\n"
        "const disable = csp.dangerouslyDisableDefaultSrc\n"
        "const fails = (options) => { try { csp(options); return false } catch { return true } }\n"
        "const refused = [fails({ useDefaults: false }), fails({ useDefaults: false, directives: { aB: 'c' } }),\n"
        "  fails({ useDefaults: false, directives: { defaultSrc: disable } }),\n"
        f"{', '.join(f'fails({{ directives: {js} }})' for js, _ in REFUSED_DIRECTIVES)}]\n"
        "app.get('/', (req, res) => res.json(refused))",
        "csp = helmet.content_security_policy\n"
        "disable = csp.dangerously_disable_default_src\n"
        "def fails(**options):\n"
        "    try:\n"
        "        csp(**options)\n"
        "    except TypeError:\n"
        "        return True\n"
        "    return False\n"
        "refused = [fails(use_defaults=False), fails(use_defaults=False, directives={'a_b': 'c'}),\n"
        "    fails(use_defaults=False, directives={'default_src': disable}),\n"
        f"{', '.join(f'fails(directives={py})' for _, py in REFUSED_DIRECTIVES)}]\n"
        "app.get('/', lambda req, res: res.json(refused))",
        [get("/")],
    ),
]
