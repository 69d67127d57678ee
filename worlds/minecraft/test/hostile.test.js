// Hostile skills, with harmless payloads, against what the child holds by itself (node's flags, its deadlines): each
// ends within its deadline, and the server and its player go on. What the system holds is tested where it is made
// (tests/sandbox/node_child_test.cc).
const test = require('node:test')
const assert = require('node:assert')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const net = require('node:net')
const { World } = require('./world')
const { realNow } = require('../bot/clock')
const { runSkill, loadSkill } = require('./skill')

let world
test.before(async () => { world = await World.start({ seed: 3, clock: 10, difficulty: 'peaceful' }) })
test.after(() => world.stop())
test.afterEach(async () => { await world.ticks(2) }) // it goes on

// `body` of a function that takes the bot. Any code may reach `process` and node's modules: of what that is worth is
// what these tests are.
const hostile = (body, more = {}) => runSkill(world, `async function attack (bot) {\nconst reached = bot.constructor.constructor('return process')()\nconst load = reached.getBuiltinModule\n${body}\n}`, { main: 'attack', name: 'hostile', ...more })

test('a promise that never settles ends in the world\'s time', async () => {
  const { last } = await hostile('await new Promise(() => {})', { seconds: 20 })
  assert.deepEqual([last.failed.message, last.failed.killed], ['ended after 20 seconds of the world\'s time: do less in one function', true])
})

test('a call of the player\'s that never settles ends with its deadline', async () => {
  const { last } = await hostile('await bot.openBlock(bot.blockAt(bot.entity.position.offset(0, -1, 0)))')
  assert.match(last.failed.message, /^openBlock: it did not end within 20 seconds$|^Event windowOpen did not fire within timeout of 20000ms$/)
  assert.equal(last.failed.where, 'code')
})

test('a loop without end, beside functions too, is killed', async () => {
  const begun = realNow()
  const { last } = await hostile('bot.chat("spins"); await bot.waitForTicks(1); while (true);', { deadline: 8000 })
  assert.equal(last.ended, 'SIGKILL')
  assert.ok(realNow() - begun < 20000)
  assert.equal((await loadSkill('spins', 'while (true);\nfunction spins (bot) {}', { deadline: 2000 })).ended, 'SIGKILL')
})

test('timers that are left behind are gone with it, and its environment has nothing of ours', async () => {
  process.env.CARAVEL_TEST_SECRET = 'secret'
  const { said, last } = await hostile('setInterval(() => bot.chat("still here"), 100000); bot.chat(Object.keys(reached.env).sort().join(" "))')
  delete process.env.CARAVEL_TEST_SECRET
  assert.deepEqual([said, last], [['HOME LANG PATH'], { done: true }])
  assert.equal((await world.ask('player', { player: 'hostile' })).connected, false)
})

test('errors that nobody waits for are its errors', async () => {
  const timer = await hostile('setTimeout(() => { nothing() }, 10); await bot.waitForTicks(200)')
  assert.equal(timer.last.failed.message, 'ReferenceError: nothing is not defined')
  const lost = await hostile('Promise.reject(new Error("lost")); await bot.waitForTicks(200)')
  assert.equal(lost.last.failed.message, 'lost')
})

test('neither files, nor processes, nor workers, nor addons', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hostile-'))
  const kept = path.join(folder, 'kept')
  fs.writeFileSync(kept, 'secret')
  try {
    const tries = [`load('fs').readFileSync('${kept}')`, `load('fs').writeFileSync('${kept}', '')`, `load('fs').rmSync('${kept}')`, `load('fs').renameSync('${kept}', '${kept}2')`,
      `load('fs').openSync('${kept}', 'r+')`, `load('fs').symlinkSync('${kept}', '${folder}/link')`, "load('fs').readFileSync('/proc/self/environ')",
      "load('child_process').execFileSync('/bin/true')", "const { error } = load('child_process').spawnSync('/bin/true'); if (error) throw error",
      "reached.execve('/bin/true')", "new (load('worker_threads').Worker)('0', { eval: true })", "reached.dlopen({ exports: {} }, '/lib/x.node')"]
    const { said } = await hostile(tries.map(body => `try {\n${body}\nbot.chat('did it')\n} catch (error) { bot.chat('refused: ' + error.code) }`).join('\n'))
    assert.equal(said.length, tries.length)
    for (const [i, body] of tries.entries()) assert.match(said[i], /^refused: ERR_(ACCESS_DENIED|DLOPEN_DISABLED)/, body)
    assert.deepEqual([fs.readdirSync(folder), fs.readFileSync(kept, 'utf8')], [['kept'], 'secret'])
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
})

test('it ends itself, or floods: an end, and no more', async () => {
  assert.deepEqual((await hostile('reached.exit(0)')).last.ended, 0)
  const flood = await hostile('for (let i = 0; i < 1000; i++) bot.chat("x".repeat(10000))')
  assert.equal(flood.last.failed.message, 'said more than 200 lines')
  assert.ok(flood.said.length === 200 && flood.said.every(text => text.length === 500))
})

test('a heap that is full ends it', async () => {
  const { last } = await hostile('const all = []; for (;;) all.push(new Array(1e5).fill(0.5))', { deadline: 40000 })
  assert.ok(last.ended === 'SIGABRT' || last.ended === 'SIGTRAP' || last.ended === 134, JSON.stringify(last.ended))
})

test('forged words to the server change nothing that it has not', async () => {
  const { last } = await hostile(`for (const [name, packet] of [['set_creative_slot', { slot: 36, item: { present: true, itemId: 700, itemCount: 64 } }],
    ['position', { x: 1000, y: 300, z: 1000, onGround: true }], ['client_command', { actionId: 0 }]]) bot._client.write(name, packet)
  bot._client.write('chat_command', { command: 'give @s diamond', timestamp: 0n, salt: 0n, argumentSignatures: [], signedPreview: false, messageCount: 0, acknowledged: Buffer.alloc(3), previousMessages: [], lastRejectedMessage: undefined })
  await bot.waitForTicks(20)`)
  assert.ok(last.done || last.failed, JSON.stringify(last))
  const { x, z, slots } = await world.ask('player', { player: 'hostile' })
  assert.ok(Math.hypot(x, z) < 500)
  assert.deepEqual(slots, [])
})
