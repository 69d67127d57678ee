// What the process that started this one may ask, a line of JSON each on stdin, answered in order by a line of JSON on
// stdout: {"do": "give", "player": "bot", "item": "oak_log", "count": 3} -> {"ok": true}. Players cannot: in the world
// nobody is an operator.
const { Vec3 } = require('vec3')
const kinds = require('./mobs/kinds')
const { save, restore, SavedError } = require('./saving')

class CommandError extends Error {}

const need = (condition, message) => { if (!condition) throw new CommandError(message) }
const whole = (value, name) => { need(Number.isInteger(value), `${name} ${value}: a whole number`); return value }
const number = (value, name) => { need(Number.isFinite(value), `${name} ${value}: a number`); return value }

function survivorOf (game, name) {
  const survivor = game.survivors.get(name)
  need(survivor, `${name}: no such player`)
  return survivor
}

function itemOf (game, { item, count = 1, used }) {
  need(Object.hasOwn(game.registry.itemsByName, item), `${item}: no such item`)
  const made = game.item(item, whole(count, 'count'))
  if (used !== undefined) made.durabilityUsed = used
  return made
}

function stateOf (game, { block, properties }) {
  need(Object.hasOwn(game.registry.blocksByName, block), `${block}: no such block`)
  return game.blocks.stateOf(block, properties)
}

const listed = slots => slots.items.flatMap((item, slot) => item ? [{ slot, item: item.name, count: item.count, used: item.durabilityUsed || undefined }] : [])

const commands = {
  give (game, order) {
    const item = itemOf(game, order)
    const survivor = survivorOf(game, order.player)
    if (order.slot === undefined) return { left: survivor.receive(item) }
    survivor.setSlot(whole(order.slot, 'slot'), item)
  },
  clear (game, { player }) {
    const survivor = survivorOf(game, player)
    for (let slot = 0; slot < survivor.slots.length; slot++) survivor.slots.set(slot, null)
    survivor.cursor = null
    survivor.view.leftOver() // what lies in a grid is the player's, too
    game.windows.tellAll(survivor)
  },
  player (game, { player }) {
    const survivor = survivorOf(game, player)
    const { x, y, z } = survivor.position
    const { health, food, saturation, exhaustion, air, onGround, sneaking, sprinting } = survivor
    return { x, y, z, health, food, saturation, exhaustion, air, onGround, sneaking, sprinting, sleeping: survivor.sleepingSince !== undefined, connected: Boolean(survivor.player), slots: listed(survivor.slots), deeds: Object.fromEntries(survivor.deeds) }
  },
  events: (game, { player }) => ({ events: game.diary.take(survivorOf(game, player)) }),
  // Whether its time passes.
  clock (game, { runs }) {
    need(typeof runs === 'boolean', 'runs: true or false')
    if (runs) game.clock.start()
    else game.clock.stop()
    return { tick: game.tick }
  },
  change (game, { player, ...values }) {
    const survivor = survivorOf(game, player)
    for (const name of ['health', 'food', 'saturation', 'exhaustion', 'air']) if (values[name] !== undefined) survivor[name] = number(values[name], name)
    survivor.sendHealth()
  },
  hurt (game, { player, damage }) {
    survivorOf(game, player).hurt(number(damage, 'damage'), 'blow', { past: true })
  },
  teleport (game, { player, x, y, z }) {
    game.connections.teleport(survivorOf(game, player), new Vec3(number(x, 'x'), number(y, 'y'), number(z, 'z')))
  },
  set (game, order) {
    game.blocks.set(whole(order.x, 'x'), whole(order.y, 'y'), whole(order.z, 'z'), stateOf(game, order))
  },
  fill (game, order) {
    const state = stateOf(game, order)
    const [from, to] = [order.from, order.to]
    need([from, to].every(corner => Array.isArray(corner) && corner.length === 3 && corner.every(Number.isInteger)), 'from and to: [x, y, z] each')
    need((to[0] - from[0] + 1) * (to[1] - from[1] + 1) * (to[2] - from[2] + 1) <= 100000, 'at most 100000 blocks')
    for (let y = from[1]; y <= to[1]; y++) for (let x = from[0]; x <= to[0]; x++) for (let z = from[2]; z <= to[2]; z++) game.blocks.set(x, y, z, state)
  },
  block (game, { x, y, z }) {
    const state = game.blocks.stateAt(whole(x, 'x'), whole(y, 'y'), whole(z, 'z'))
    return { block: game.registry.blocksByStateId[state].name, properties: game.blocks.propertiesOf(state) }
  },
  mob (game, { mob, x, y, z }) {
    need(Object.hasOwn(kinds, mob), `${mob}: no such creature`)
    return { id: game.mobs.spawn(mob, new Vec3(number(x, 'x'), number(y, 'y'), number(z, 'z'))).id }
  },
  mobs: game => ({ mobs: game.mobs.all.map(({ id, name, position: { x, y, z }, health }) => ({ id, name, x, y, z, health })) }),
  drops: game => ({ drops: game.drops.all.map(({ stack, position: { x, y, z } }) => ({ item: stack.name, count: stack.count, x, y, z })) }),
  sweep (game) {
    for (const mob of game.mobs.all) game.mobs.remove(mob)
    for (const drop of game.drops.all) drop.stack.count = 0
  },
  time (game, { time }) {
    if (time !== undefined) game.daylight.set(whole(time, 'time'))
    return { time: game.daylight.time, tick: game.tick }
  },
  rule (game, { rule, value }) {
    need(Object.hasOwn(game.rules, rule), `${rule}: no such rule; there are ${Object.keys(game.rules).join(', ')}`)
    need(typeof value === 'boolean', `${value}: true or false`)
    game.rules[rule] = value
  },
  // Several in one tick: [order, ...].
  all (game, { orders }) {
    need(Array.isArray(orders), 'orders: a list')
    return { answers: orders.map(order => obey(game, order)) }
  },
  save: game => ({ saved: save(game) }),
  restore: (game, { saved }) => restore(game, saved),
  difficulty (game, { difficulty }) {
    need(['peaceful', 'easy', 'normal', 'hard'].includes(difficulty), `${difficulty}: no such difficulty`)
    game.difficulty = difficulty
  }
}

function obey (game, order) {
  need(order && Object.hasOwn(commands, order.do), `${order?.do}: no such command; there are ${Object.keys(commands).join(', ')}`)
  return commands[order.do](game, order) ?? {}
}

// What one line asks, done: what is to be said of it.
function answer (game, line) {
  try {
    return { ok: true, ...obey(game, JSON.parse(line)) }
  } catch (error) {
    if (error instanceof CommandError || error instanceof SavedError || error instanceof SyntaxError) return { ok: false, error: error.message }
    throw error
  }
}

module.exports = { answer }
