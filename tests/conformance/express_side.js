'use strict'
// Serves the JavaScript app of every case, each on a port of its own. One line of JSON comes in, {area: {case: {js, env}}},
// one goes out, {versions, ports: {area: {case: port}}}; the process ends when its input does.

const fs = require('node:fs')
const http = require('node:http')
const path = require('node:path')
const readline = require('node:readline')
const { createRequire } = require('node:module')

const [folder, FILES] = process.argv.slice(2)
const requireThere = createRequire(path.join(folder, 'package.json'))
const express = requireThere('express')
const session = requireThere('express-session')

readline.createInterface({ input: process.stdin })
  .once('line', async (line) => {
    const ports = {}
    for (const [area, cases] of Object.entries(JSON.parse(line))) {
      ports[area] = {}
      for (const [name, { js, env }] of Object.entries(cases)) {
        ports[area][name] = await serve(build(`${area}-${name}`, js, env))
      }
    }
    process.stdout.write(JSON.stringify({ versions: versions(), ports }) + '\n')
  })
  .on('close', () => process.exit())

function build (name, js, env) {
  process.env.NODE_ENV = env
  const app = express()
  try {
    new Function('express', 'app', 'session', 'path', 'fs', 'FILES', 'require', js)(
      express, app, session, path, fs, FILES, requireThere)
  } catch (error) {
    error.message = `in the JavaScript of ${name}: ${error.message}`
    throw error
  }
  return app
}

function serve (app) {
  return new Promise((resolve) => {
    const server = http.createServer(app).listen(0, '127.0.0.1', () => resolve(server.address().port))
  })
}

function versions () {
  const wanted = ['express', 'path-to-regexp', ...Object.keys(manifest('express').dependencies)]
  const packages = Object.fromEntries(wanted.sort().map((name) => [name, manifest(name).version]))
  return { node: process.version, packages }
}

function manifest (name) {
  return JSON.parse(fs.readFileSync(path.join(folder, 'node_modules', name, 'package.json'), 'utf8'))
}
