// A skill child as its keeper starts it, but for the system's limits: with node's flags, a scrubbed environment and a
// deadline.
const net = require('node:net')
const path = require('node:path')
const { spawn } = require('node:child_process')
const readline = require('node:readline')
const { setTimeout: realTimer } = require('node:timers')

const ROOT = path.join(__dirname, '..')
const CHILD = path.join(ROOT, 'skills', 'child.js')
const FLAGS = ['--permission', `--allow-fs-read=${ROOT}/*`, '--max-old-space-size=256', '--disable-wasm-trap-handler']

function connection (port) {
  return new Promise((resolve, reject) => {
    const socket = new net.Socket()
    socket.pause() // what comes is the child's
    socket.once('connect', () => resolve(socket)).once('error', reject)
    socket.connect(port, '127.0.0.1')
  })
}

// All that it said, a line each; the last one is { ended } where it was killed at the deadline or ended by itself.
async function exchange (words, request, socket, deadline) {
  const child = spawn(process.execPath, [...FLAGS, CHILD, ...words.map(String)], { env: { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8' }, stdio: ['ignore', 'ignore', 'pipe', 'pipe', ...(socket ? [socket] : [])] })
  socket?.destroy()
  let errors = ''
  child.stderr.on('data', data => { errors += data })
  const lines = []
  const [, , , bridge] = child.stdio
  const last = new Promise(resolve => {
    const timer = realTimer(() => { child.kill('SIGKILL') }, deadline)
    readline.createInterface({ input: bridge }).on('line', line => {
      lines.push(JSON.parse(line))
      if (['done', 'failed', 'loaded', 'sent_away'].some(word => word in lines.at(-1))) { resolve(); child.kill('SIGKILL') }
    })
    child.once('exit', (code, signal) => { clearTimeout(timer); lines.push({ ended: signal ?? code, errors }); resolve() })
    bridge.on('error', () => {})
  })
  bridge.write(`${JSON.stringify(request)}\n`)
  await last
  if (child.exitCode === null && child.signalCode === null) await new Promise(resolve => child.once('exit', resolve))
  return lines
}

// { said: [TEXT...], chests: { PLACE: { NAME: COUNT } }, last }
async function runSkill (world, code, { main = /function (\w+)/.exec(code)?.[1] ?? 'task', skills = [], name = 'bot', seconds = 300, deadline = 60000 } = {}) {
  const lines = await exchange(['--mode', 'run', '--name', name, '--clock', world.clock], { run: { code, main, skills, seconds } }, await connection(world.port), deadline)
  const last = lines.find(line => 'done' in line || 'failed' in line || 'sent_away' in line) ?? lines.at(-1)
  await world.until(({ connected }) => !connected, { player: name }).catch(() => {}) // of one that never joined
  return { said: lines.flatMap(({ chat }) => chat ?? []), chests: Object.fromEntries(lines.filter(({ chest }) => chest).map(({ chest, holds }) => [chest, holds])), last }
}

async function loadSkill (name, code, { deadline = 5000 } = {}) {
  return (await exchange(['--mode', 'load'], { load: { name, code } }, undefined, deadline))[0]
}

module.exports = { runSkill, loadSkill, FLAGS }
