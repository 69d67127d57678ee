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

// What a bridge says at first and then to each of these orders.
async function answers (words, orders) {
  const child = spawn(process.execPath, [path.join(FOLDER, 'bridge', 'main.js'), ...words.map(String)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async () => JSON.parse((await lines.next()).value)
  const all = [await next()]
  for (const order of orders) {
    child.stdin.write(`${JSON.stringify(order)}\n`)
    all.push(await next())
  }
  child.stdin.end()
  await new Promise(resolve => child.once('exit', resolve))
  return all
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

test('one that counts what its players do is believed', async () => {
  const server = await stock('counting')
  const [{ observation }] = await answers(['--port', server.port, '--counts', 'server'], [])
  assert.deepEqual(observation.counts, {
    'mined:oak_log': 3, 'crafted:stick': 8, 'got:stick': 8, 'crafted:iron_ingot': 1, 'smelted:iron_ingot': 1, 'got:iron_ingot': 1, 'eaten:bread': 2, 'placed:torch': 5, 'got:dirt': 4, 'killed:cow': 1
  })
  await server.stop()
})

test('one that does not count is asked once, and seen from above', async () => {
  const server = await stock()
  const [first, second, above] = await answers(['--port', server.port, '--counts', 'server'], [{ do: 'observe' }, { do: 'columns' }])
  assert.deepEqual([first.observation.counts, second.observation.counts], [{}, {}])
  assert.ok(above.columns.length >= 25, above.columns.length)
  const { names, tops } = above.columns.find(({ x, z }) => x === Math.floor(first.observation.position[0] / 16) && z === Math.floor(first.observation.position[2] / 16))
  assert.deepEqual(names, ['grass_block'])
  assert.equal(Buffer.from(tops, 'base64').length, 512)
  await server.stop()
})

test('one in online mode is refused', async () => {
  const server = await stock('online')
  const { status, stderr } = bridge(server.port)
  assert.deepEqual([status, stderr], [1, `minecraft bridge: 127.0.0.1:${server.port}: it is in online mode: it asks for an account, and this bot has none\n`])
  await server.stop()
})
