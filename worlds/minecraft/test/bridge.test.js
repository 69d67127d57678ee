// The bot's process: what it observes, and how it ends.
const test = require('node:test')
const assert = require('node:assert')
const path = require('node:path')
const { spawn, spawnSync } = require('node:child_process')
const readline = require('node:readline')
const { World, pause } = require('./world')

const MAIN = path.join(__dirname, '..', 'bridge', 'main.js')

class Bridge {
  constructor (...words) {
    this.process = spawn(process.execPath, [MAIN, ...words.map(String)], { stdio: ['pipe', 'pipe', 'pipe'] })
    this.stderr = ''
    this.process.stderr.on('data', data => { this.stderr += data })
    this.lines = []
    this.waiting = []
    readline.createInterface({ input: this.process.stdout }).on('line', line => this.waiting.length > 0 ? this.waiting.shift()(JSON.parse(line)) : this.lines.push(JSON.parse(line)))
    this.status = new Promise(resolve => this.process.once('exit', (code, signal) => resolve(code ?? signal)))
  }

  next () {
    return this.lines.length > 0 ? Promise.resolve(this.lines.shift()) : new Promise(resolve => this.waiting.push(resolve))
  }

  ask (order) {
    this.process.stdin.write(`${JSON.stringify(order)}\n`)
    return this.next()
  }

  async observe () {
    return (await this.ask({ do: 'observe' })).observation
  }
}

let world
test.before(async () => { world = await World.start({ seed: 3, clock: 10 }) })
test.after(() => world.stop())

test('it sees what there is, in the words of observations', async () => {
  const bridge = new Bridge('--port', world.port, '--clock', 10)
  const first = (await bridge.next()).observation
  const at = await world.ask('player', { player: 'bot' })
  assert.deepEqual([first.health, first.food, first.slots_used, first.slots, first.inventory], [20, 20, 0, 36, {}])
  assert.ok(Math.hypot(first.position[0] - at.x, first.position[1] - at.y, first.position[2] - at.z) < 2)
  assert.ok(['forest', 'plains'].includes(first.biome), first.biome)
  assert.equal(first.time_of_day, 'day')
  assert.ok(first.nearby_blocks.includes('grass_block') && !first.nearby_blocks.includes('air'))

  await world.ask('give', { player: 'bot', item: 'iron_helmet', slot: 5 })
  await world.ask('give', { player: 'bot', item: 'stone_axe', slot: 36 })
  await world.ask('give', { player: 'bot', item: 'oak_log', count: 70 })
  await world.ask('time', { time: 18000 })
  await world.ask('mob', { mob: 'cow', x: at.x + 2, y: at.y, z: at.z })
  let seen
  for (let i = 0; i < 500; i++) {
    seen = await bridge.observe()
    if (seen.inventory.oak_log === 70 && seen.equipment.hand && seen.nearby_entities.some(({ name }) => name === 'cow') && seen.time_of_day === 'night') break
    await pause(10)
  }
  assert.deepEqual(seen.inventory, { oak_log: 70, stone_axe: 1 })
  assert.equal(seen.slots_used, 3)
  assert.deepEqual(seen.equipment, { hand: 'stone_axe', head: 'iron_helmet' })
  assert.equal(seen.nearby_entities[0].name, 'cow')
  assert.ok(seen.tick > first.tick)

  bridge.process.stdin.write('nothing\n{"do": "dance"}\n')
  assert.equal((await bridge.next()).ok, false)
  assert.match((await bridge.next()).error, /^dance: no such command/)
  bridge.process.stdin.end()
  assert.equal(await bridge.status, 0)
})

test('killed at any moment, the next one finds itself as it was', async () => {
  const bridge = new Bridge('--port', world.port, '--clock', 10, '--name', 'killed')
  await bridge.next()
  await world.ask('give', { player: 'killed', item: 'diamond', count: 2 })
  bridge.process.kill('SIGKILL')
  await world.until(({ connected }) => !connected, { player: 'killed' })
  const again = new Bridge('--port', world.port, '--clock', 10, '--name', 'killed')
  assert.deepEqual((await again.next()).observation.inventory, { diamond: 2 })
  again.process.stdin.end()
  await again.status
})

test('a server that sends it away, or goes: said, and 1', async () => {
  const other = await World.start({ seed: 3 })
  const first = new Bridge('--port', other.port)
  await first.next()
  const second = new Bridge('--port', other.port)
  assert.equal(await second.status, 1)
  assert.match(second.stderr, /^minecraft bridge: 127\.0\.0\.1:\d+: bot is connected already\n$/)
  await other.stop()
  assert.deepEqual(Object.keys(await first.next()), ['ok', 'ended'])
  assert.equal(await first.status, 1)
})

test('nobody there, and bad words: one line', () => {
  const run = (...words) => spawnSync(process.execPath, [MAIN, ...words], { encoding: 'utf8', timeout: 60000, input: '' })
  const nobody = run('--port', '1')
  assert.deepEqual([nobody.status, nobody.stdout, nobody.stderr], [1, '', 'minecraft bridge: 127.0.0.1:1: nobody listens there\n'])
  const missing = run()
  assert.deepEqual([missing.status, missing.stderr], [2, 'minecraft bridge: --port: a value is missing\n'])
  assert.equal(run('--port', '25565', '--name', 'a b').stderr, 'minecraft bridge: --name a b: three to sixteen letters, digits and _\n')
})

test('it leaves the world to another under its name, and comes back', async () => {
  const bridge = new Bridge('--port', world.port, '--clock', 10, '--name', 'leaver')
  const first = (await bridge.next()).observation
  assert.deepEqual(await bridge.ask({ do: 'leave' }), { ok: true })
  await world.until(({ connected }) => !connected, { player: 'leaver' })
  assert.equal((await bridge.ask({ do: 'observe' })).error, 'it has left the world')
  await world.ask('give', { player: 'leaver', item: 'apple', count: 1 })
  const again = (await bridge.ask({ do: 'join' })).observation
  assert.deepEqual([again.inventory, again.position], [{ apple: 1 }, first.position])
  bridge.process.stdin.end()
  assert.equal(await bridge.status, 0)
})

test('it tells what there is from above', async () => {
  const bridge = new Bridge('--port', world.port, '--clock', 10, '--name', 'mapper')
  const [x, , z] = (await bridge.next()).observation.position.map(Math.floor)
  const top = async () => {
    const { columns } = await bridge.ask({ do: 'columns' })
    assert.ok(columns.length >= 25 && columns.length <= 81, columns.length)
    const { names, tops } = columns.find(column => column.x === x >> 4 && column.z === z >> 4)
    const bytes = Buffer.from(tops, 'base64')
    const place = 2 * ((z & 15) * 16 + (x & 15))
    return [names[bytes[place]], bytes[place + 1] - 128]
  }
  const until = async (...wanted) => {
    let seen
    for (let i = 0; i < 300; i++) {
      seen = await top()
      if (seen[0] === wanted[0]) break
      await pause(10)
    }
    assert.deepEqual(seen, wanted)
  }
  const [ground, height] = await top()
  assert.notEqual(ground, 'air')
  // A roof; glass over it, which is ground like any other; a torch on that, which is not.
  await world.ask('set', { x, y: 62 + height + 20, z, block: 'gold_block' })
  await until('gold_block', height + 20)
  await world.ask('set', { x, y: 62 + height + 21, z, block: 'glass' })
  await until('glass', height + 21)
  await world.ask('set', { x, y: 62 + height + 22, z, block: 'torch' })
  await until('torch', height + 21)
  await world.ask('set', { x, y: 62 + height + 22, z, block: 'tall_grass' })
  await until('glass', height + 21)
  bridge.process.stdin.end()
  assert.equal(await bridge.status, 0)
})

test('code is read, and not run', () => {
  const { readCode } = require('../bridge/read_code')
  assert.deepEqual(readCode(`const wood = ['oak_log']
async function first (bot) { await mineBlock(bot, wood[0], 1) }
const helper = async (bot, count) => craftItem(bot, 'stick', count)
async function last (bot) { await helper(bot, 1); first(bot); bot.chat('x'); function inner () {} inner() }
async function two (bot, more) {}`).parsed, { main: 'last', functions: ['first', 'helper', 'last', 'two'], calls: ['craftItem', 'mineBlock'] })
  assert.equal(readCode('process.exit(7)').parsed.main, '')
  const failed = code => { const { message, line } = readCode(code).failed; return [message, line] }
  assert.deepEqual(failed('async function a (bot) {\n  let x = ;\n}'), ['Unexpected token', 2])
  assert.deepEqual(failed('\nasync function mineBlock (bot) {}'), ['mineBlock: is a control primitive\'s name; give the task\'s function another one', 2])
  assert.equal(failed(`function ${'x'.repeat(65)} (bot) {}`)[1], 1)
  assert.deepEqual(failed('('.repeat(200000)), ['it is nested too deeply to be read', 0])
})
