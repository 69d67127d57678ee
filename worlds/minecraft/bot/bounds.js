// Bounds for mineflayer's calls, whose promises may never settle (a dig when the connection ends, a window that does
// not open, a way that is never found), and which ask nobody how far it can reach: each ends within a deadline in the
// bot's own time, with the connection and with the player's death, and refuses what is out of reach, with a line that
// says so.

// What servers of this version take, from the eyes to the middle of a block.
const REACH = 6
const EYES = 1.62
const SAYS_SO = 60 // ticks, within which a server says that a block is broken

// Of an error that came from within mineflayer: the stack of who called it, which that error's own has lost.
const calledFrom = new WeakMap()

const placeOf = ({ x, y, z }) => `(${Math.floor(x)}, ${Math.floor(y)}, ${Math.floor(z)})`
const inTicks = ([ticks]) => (Number(ticks) || 0) / 20 * 2 + 10
const few = () => 20
const some = () => 60

// name: { seconds, reach }: what of its arguments has to be within reach, and for how many seconds it may go on.
const calls = {
  dig: { seconds: ([block], bot) => bot.digTime(block) / 1000 * 1.5 + 15, block: true },
  placeBlock: { seconds: few, block: true },
  placeEntity: { seconds: few, block: true },
  activateBlock: { seconds: few, block: true },
  openBlock: { seconds: few, block: true },
  openContainer: { seconds: few },
  openChest: { seconds: few },
  openDispenser: { seconds: few },
  openFurnace: { seconds: few, block: true },
  openAnvil: { seconds: few, block: true },
  openEnchantmentTable: { seconds: few, block: true },
  openVillager: { seconds: few },
  sleep: { seconds: some, block: true },
  wake: { seconds: few },
  craft: { seconds: ([, count]) => 30 + 5 * (Number(count) || 1) },
  consume: { seconds: few },
  equip: { seconds: few },
  unequip: { seconds: few },
  toss: { seconds: some },
  tossStack: { seconds: few },
  look: { seconds: few },
  lookAt: { seconds: few },
  fish: { seconds: () => 120 },
  clickWindow: { seconds: few },
  transfer: { seconds: some },
  moveSlotItem: { seconds: few },
  putAway: { seconds: few },
  activateEntity: { seconds: few },
  activateEntityAt: { seconds: few },
  waitForTicks: { seconds: inTicks },
  waitForChunksToLoad: { seconds: some }
}
const ofWindows = ['deposit', 'withdraw', 'takeInput', 'takeFuel', 'takeOutput', 'putInput', 'putFuel', 'enchant', 'takeTargetItem', 'putTargetItem', 'putLapis', 'combine', 'rename']
const ofPathfinder = { goto: { seconds: () => 180 } }

class Bounds {
  constructor (bot) {
    this.bot = bot
    this.pending = new Set()
    this.ended = undefined
    this.plain = { waitForTicks: bot.waitForTicks } // not wrapped
    bot.on('death', () => this.endAll('the player has died'))
    bot.on('end', reason => {
      this.ended = `the connection has ended (${reason})`
      this.endAll(this.ended)
    })
  }

  endAll (why) {
    for (const end of [...this.pending]) end(why)
  }

  // What `start` promises, or an error of the call `name` after so many seconds.
  within (name, seconds, start) {
    const at = new Error(name)
    return new Promise((resolve, reject) => {
      const fail = error => { if (error instanceof Error) calledFrom.set(error, at.stack); reject(error) }
      if (this.ended) { fail(new Error(`${name}: ${this.ended}`)); return }
      const end = why => settle(() => { this.stop(); fail(new Error(`${name}: ${why}`)) })
      const timer = setTimeout(() => end(`it did not end within ${Math.ceil(seconds)} seconds`), Math.min(seconds, 3600) * 1000)
      const settle = how => {
        if (!this.pending.delete(end)) return
        clearTimeout(timer)
        how()
      }
      this.pending.add(end)
      Promise.resolve().then(start).then(value => settle(() => resolve(value)), error => settle(() => fail(error)))
    })
  }

  // A client takes what it dug for gone when its own time for it has come; the server, whose clock counts, says so when
  // it is, or shows the block again.
  async broken (block) {
    const { _client: client } = this.bot
    const isThis = ({ location: { x, y, z } }) => x === block.position.x && y === block.position.y && z === block.position.z
    let heard
    const hear = packet => { if (isThis(packet)) heard = packet.type }
    client.on('block_change', hear)
    for (let ticks = 0; heard === undefined && ticks < SAYS_SO; ticks++) await this.within('dig', 10, () => this.plain.waitForTicks(1))
    client.removeListener('block_change', hear)
    if (heard === block.stateId) throw new Error(`dig: the server left the ${block.name} at ${placeOf(block.position)} as it was`)
  }

  // Whatever it was about is not to go on behind its caller's back.
  stop () {
    const { bot } = this
    bot.stopDigging()
    bot.pathfinder?.setGoal(null)
    bot.clearControlStates()
  }

  checkReach (name, block) {
    if (!block?.position) throw new Error(`${name}: there is no such block: it was ${block === undefined ? 'undefined' : block === null ? 'null, which is none found' : typeof block}`)
    const { position } = this.bot.entity
    const far = position.offset(0, EYES, 0).distanceTo(block.position.offset(0.5, 0.5, 0.5))
    if (far > REACH) throw new Error(`${name}: the ${block.name} at ${placeOf(block.position)} is ${far.toFixed(1)} blocks away; ${REACH} can be reached, go there first`)
  }

  wrap (owner, name, { seconds, block = false }) {
    const call = owner[name]
    if (typeof call !== 'function') return
    owner[name] = async (...words) => {
      if (block) this.checkReach(name, words[0])
      const value = await this.within(name, Math.max(1, seconds(words, this.bot) || 60), () => call.apply(owner, words))
      if (name.startsWith('open')) this.wrapWindow(value)
      if (name === 'dig') await this.broken(words[0])
      return value
    }
  }

  wrapWindow (window) {
    for (const name of ofWindows) if (window) this.wrap(window, name, { seconds: some })
  }
}

// The library goes on towards a goal that it found no way to, as near as it can, while its caller does something else.
function letGoals (pathfinder) {
  const { goto } = pathfinder
  pathfinder.goto = goal => goto(goal).catch(error => {
    if (pathfinder.goal === goal) pathfinder.setGoal(null)
    throw error
  })
}

// Also the names of plugins' calls, where they are loaded.
function bound (bot) {
  const bounds = new Bounds(bot)
  if (bot.pathfinder) letGoals(bot.pathfinder)
  for (const [name, call] of Object.entries(calls)) bounds.wrap(bot, name, call)
  for (const [name, call] of Object.entries(ofPathfinder)) if (bot.pathfinder) bounds.wrap(bot.pathfinder, name, call)
  return bounds
}

module.exports = { bound, calledFrom, REACH }
