// Skills in their child: what Voyager's names do, how code ends, and a library in Voyager's published layout.
const test = require('node:test')
const assert = require('node:assert')
const fs = require('node:fs')
const path = require('node:path')
const { World, count } = require('./world')
const { FLOOR } = require('./arena')
const { runSkill, loadSkill } = require('./skill')

let world
test.before(async () => { world = await World.start({ seed: 3, clock: 20, difficulty: 'peaceful' }) })
test.after(() => world.stop())

const player = name => world.ask('player', { player: name })

// A floor of stone high up, with the player of this name on it.
async function stage (name, z, items = {}) {
  const joined = await runSkill(world, 'async function task(bot) {}', { name })
  assert.deepEqual(joined.last, { done: true })
  await world.ask('fill', { from: [-9, FLOOR, z - 9], to: [9, FLOOR, z + 9], block: 'stone' })
  await world.ask('teleport', { player: name, x: 0.5, y: FLOOR + 1, z: z + 0.5 })
  for (const [item, many] of Object.entries(items)) await world.ask('give', { player: name, item, count: many })
}

test('a library in the published layout runs unchanged, from wood to stone tools', async () => {
  const folder = path.join(__dirname, 'skill_library', 'skill')
  const index = JSON.parse(fs.readFileSync(path.join(folder, 'skills.json'), 'utf8'))
  const skills = Object.keys(index).map(name => ({ name, code: fs.readFileSync(path.join(folder, 'code', `${name}.js`), 'utf8') }))
  assert.deepEqual(skills, Object.entries(index).map(([name, { code }]) => ({ name, code })))
  for (const { name, code } of skills) assert.deepEqual(await loadSkill(name, code), { loaded: true })
  const task = `async function reachStone (bot) {
    await craftWoodenPickaxe(bot)
    await mineCobblestone(bot)
    await craftStoneTools(bot)
  }`
  const { said, last } = await runSkill(world, task, { main: 'reachStone', skills, name: 'miner', seconds: 900, deadline: 90000 })
  assert.deepEqual(last, { done: true }, said.join('\n'))
  const state = await player('miner')
  assert.deepEqual([count(state, 'stone_pickaxe'), count(state, 'stone_shovel'), count(state, 'crafting_table')], [1, 1, 1], said.join('\n'))
  assert.equal(state.deeds['crafted:stone_pickaxe'], 1)
})

test('furnace and chest: what goes in comes out, and is seen', async () => {
  await stage('keeper', 40, { furnace: 1, chest: 1, raw_iron: 3, oak_planks: 2, dirt: 5, wooden_pickaxe: 1 })
  const { said, chests, last } = await runSkill(world, `async function keep (bot) {
    await placeItem(bot, 'furnace', new Vec3(2, ${FLOOR + 1}, 40))
    await placeItem(bot, 'chest', new Vec3(-2, ${FLOOR + 1}, 40))
    await smeltItem(bot, 'raw_iron', 'oak_planks', 3)
    const at = new Vec3(-2, ${FLOOR + 1}, 40)
    await depositItemIntoChest(bot, at, { iron_ingot: 1, dirt: 3, diamond: 1 })
    await getItemFromChest(bot, at, { dirt: 2 })
    await checkItemInsideChest(bot, at)
    await givePlacedItemBack(bot, 'furnace', new Vec3(2, ${FLOOR + 1}, 40))
  }`, { name: 'keeper' })
  assert.deepEqual(last, { done: true })
  const state = await player('keeper')
  assert.deepEqual(['iron_ingot', 'raw_iron', 'dirt', 'furnace'].map(name => count(state, name)), [2, 0, 4, 1], said.join('\n'))
  assert.deepEqual(chests, { [`(-2, ${FLOOR + 1}, 40)`]: { dirt: 1, iron_ingot: 1 } })
  assert.ok(said.includes('Smelted 3 raw_iron into iron_ingot.') && said.includes('There is no diamond in the inventory.') && said.at(-1) === 'Took up the furnace.', said.join('\n'))
})

test('creatures are killed and what they leave is picked up; exploring ends with what it looked for', async () => {
  await stage('hunter', -40, { iron_sword: 1 })
  await world.ask('mob', { mob: 'cow', x: 5, y: FLOOR + 1, z: -37 })
  const { said, last } = await runSkill(world, `async function hunt (bot) {
    await killMob(bot, 'cow', 60)
    const from = bot.entity.position.clone()
    const far = await exploreUntil(bot, new Vec3(0, 0, -1), 20, () => bot.entity.position.z < from.z - 3 && 'far')
    const none = await exploreUntil(bot, new Vec3(0, 0, 1), 1, () => null)
    bot.chat(far + ' ' + none)
    await killMob(bot, 'dragon')
    await mineBlock(bot, 'diamond_ore', 1)
    await craftItem(bot, 'iron_pickaxe', 1)
    await shoot(bot, 'bow', 'cow')
  }`, { name: 'hunter' })
  assert.deepEqual(last, { done: true })
  const state = await player('hunter')
  assert.equal(state.deeds['killed:cow'], 1, said.join('\n'))
  assert.ok(count(state, 'beef') >= 1, said.join('\n'))
  assert.deepEqual(said.slice(-5), ['far null', 'No dragon is near, explore first.', 'No diamond_ore is within 32 blocks, explore first.',
    'Could not craft iron_pickaxe: 3 more iron_ingot, 2 more stick needed.', 'Could not shoot: there is no bow in the inventory.'])
})

test('a way that is not found is not gone further', async () => {
  await stage('walker', 80)
  const { said, last } = await runSkill(world, `async function walk (bot) {
    const why = await bot.pathfinder.goto(new GoalNear(25, ${FLOOR + 1}, 80, 1)).catch(error => error.name)
    bot.chat(why + ' ' + bot.pathfinder.goal)
  }`, { name: 'walker' })
  assert.deepEqual(last, { done: true })
  assert.match(said[0], /^(NoPath|Timeout) null$/)
})

test('what is wrong is said with its place: in code, in a skill, in a call that was refused', async () => {
  const failed = async (code, skills = []) => (await runSkill(world, code, { name: 'failing', skills })).last.failed
  const plain = await failed('async function task (bot) {\n  const a = undefined\n  await mineBlock(bot, 3)\n}')
  assert.deepEqual([plain.message, plain.where, plain.line], ['mineBlock: name must be the name of a block', 'code', 3])
  assert.equal(plain.trace, 'mineBlock:4: in mineBlock\ncode:3: in task')
  const far = await failed(`async function task (bot) {
    await bot.waitForTicks(2)
    await bot.dig(bot.blockAt(bot.entity.position.offset(12, -1, 0)))
  }`)
  assert.match(far.message, /^dig: the \w+ at \(-?\d+, -?\d+, -?\d+\) is 1\d\.\d blocks away; 6 can be reached, go there first$/)
  assert.deepEqual([far.where, far.line, far.killed], ['code', 3, false])
  const none = await failed("async function task (bot) {\n  await bot.dig(bot.findBlock({ matching: mcData.blocksByName.bedrock.id, maxDistance: 2 }))\n}")
  assert.match(none.message, /^dig: there is no such block: it was null/)
  const skills = [{ name: 'broken', code: 'async function broken (bot) {\n  bot.nothing()\n}' }, { name: 'unread', code: 'async function unread (bot) {' }]
  const inSkill = await failed('async function task (bot) { await broken(bot) }', skills)
  assert.deepEqual([inSkill.message, inSkill.where, inSkill.line], ['TypeError: bot.nothing is not a function', 'code', 1])
  assert.equal(inSkill.trace, 'broken:2: in broken\ncode:1: in task')
  assert.match((await failed('async function task (bot) {\n await unread(bot) }', skills)).message, /^SyntaxError: /)
  assert.match((await failed('async function task (bot) {\n  await 0\n  nobody(bot) }')).message, /^ReferenceError: nobody is not defined$/)
})
