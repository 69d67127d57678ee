// The server's command line: a bad one is one clear line, and the exit status says so.
const test = require('node:test')
const assert = require('node:assert')
const path = require('node:path')
const net = require('node:net')
const { spawnSync, spawn } = require('node:child_process')
const { parseArguments } = require('../command_line')
const flags = require('../server/flags')

const MAIN = path.join(__dirname, '..', 'server', 'main.js')
const run = (...words) => spawnSync(process.execPath, [MAIN, ...words], { encoding: 'utf8', timeout: 20000, input: '' })

test('what is not given is as documented', () => {
  assert.deepEqual(parseArguments(flags, ['--seed', '7']), { seed: 7, clock: 1, port: 0, view: 4, difficulty: 'easy' })
})

test('bad words are refused, each in one line that names it', () => {
  for (const [words, said] of [
    [['--clock', '0'], '--clock 0: a number from 0.1 to 50'],
    [['--clock', 'NaN'], '--clock NaN: a number from 0.1 to 50'],
    [['--seed', '1.5'], '--seed 1.5: a whole number'],
    [['--seed', ''], '--seed : a whole number'],
    [['--port', '70000'], '--port 70000: a whole number from 0 to 65535'],
    [['--difficulty', 'mild'], '--difficulty mild: one of peaceful, easy, normal, hard'],
    [['--toString', '1'], '--toString: no such option'],
    [['--seed'], '--seed: a value is missing'],
    [['7'], '7: no such option']
  ]) assert.throws(() => parseArguments(flags, words), error => error.message.startsWith(said) && !error.message.includes('\n'), said)
})

test('the process says so on stderr, and ends with 2', () => {
  const { status, stdout, stderr } = run('--clock', '0')
  assert.equal(status, 2)
  assert.equal(stdout, '')
  assert.match(stderr, /^minecraft server: --clock 0: [^\n]*\n$/)
})

test('a port that is taken: one line, and 1', async () => {
  const taken = net.createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => taken.once('listening', resolve))
  const { port } = taken.address()
  const server = spawn(process.execPath, [MAIN, '--port', String(port)], { stdio: ['pipe', 'pipe', 'pipe'] })
  let stderr = ''
  server.stderr.on('data', data => { stderr += data })
  const status = await new Promise(resolve => server.once('exit', resolve))
  taken.close()
  assert.equal(status, 1)
  assert.equal(stderr, `minecraft server: port ${port} is taken\n`)
})

test('it ends with its stdin, with nothing but its line on stdout', () => {
  const { status, stdout } = run('--seed', '3')
  assert.equal(status, 0)
  assert.match(stdout, /^\{"port":\d+,"seed":3,"clock":1,"version":"1\.19\.2"\}\n$/)
})
