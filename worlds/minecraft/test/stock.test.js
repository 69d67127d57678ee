// A server that is not ours: flying-squid as it comes, which the bridge observes and a skill plays on; and servers that
// want what this bot has not.
const test = require('node:test')
const assert = require('node:assert')
const path = require('node:path')
const { spawn, spawnSync } = require('node:child_process')
const readline = require('node:readline')
const { runSkill } = require('./skill')

const FOLDER = path.join(__dirname, '..')

async function stock (...words) {
  const server = spawn(process.execPath, [path.join(__dirname, 'stock_server.js'), ...words], { stdio: ['pipe', 'pipe', 'ignore'] })
  const { port } = JSON.parse(await new Promise(resolve => readline.createInterface({ input: server.stdout }).once('line', resolve)))
  return { port, clock: 1, until: async () => {}, stop: () => new Promise(resolve => { server.once('exit', resolve); server.stdin.end() }) }
}

const bridge = port => spawnSync(process.execPath, [path.join(FOLDER, 'bridge', 'main.js'), '--port', String(port)], { encoding: 'utf8', timeout: 60000, input: '' })

test('one in offline mode is observed, and played on', async () => {
  const server = await stock()
  const { stdout, stderr } = await new Promise(resolve => {
    const child = spawn(process.execPath, [path.join(FOLDER, 'bridge', 'main.js'), '--port', String(server.port)], { stdio: ['pipe', 'pipe', 'pipe'] })
    const said = { stdout: '', stderr: '' }
    child.stderr.on('data', data => { said.stderr += data })
    child.stdout.on('data', data => { said.stdout += data; child.stdin.end() })
    child.once('exit', () => resolve(said))
  })
  assert.equal(stderr, '')
  const { observation } = JSON.parse(stdout)
  assert.equal(observation.health, 20)
  assert.ok(observation.nearby_blocks.length > 0)
  const { said, last } = await runSkill(server, `async function walk (bot) {
    const from = bot.entity.position.clone()
    await bot.pathfinder.goto(new GoalXZ(Math.floor(from.x) + 4, Math.floor(from.z)))
    const ground = bot.blockAt(bot.entity.position.offset(1, -1, 0))
    await bot.dig(ground)
    bot.chat(from.distanceTo(bot.entity.position) > 2 ? 'went and dug' : 'stayed')
  }`, { main: 'walk' })
  assert.deepEqual([said, last], [['went and dug'], { done: true }])
  await server.stop()
})

test('one in online mode is refused', async () => {
  const server = await stock('online')
  const { status, stderr } = bridge(server.port)
  assert.deepEqual([status, stderr], [1, `minecraft bridge: 127.0.0.1:${server.port}: it is in online mode: it asks for an account, and this bot has none\n`])
  await server.stop()
})
