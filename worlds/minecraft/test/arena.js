// A flat place high above the ground, where nothing but what a test puts there is in the way.
const { Vec3 } = require('vec3')
const { pause } = require('./world')

const FLOOR = 200
const HALF = 12

class Arena {
  constructor (world, bot) {
    this.world = world
    this.bot = bot
    this.name = bot.username
  }

  static async build (world, bot) {
    const arena = new Arena(world, bot)
    await world.ask('rule', { rule: 'doMobSpawning', value: false })
    await world.ask('fill', { from: [-HALF, FLOOR, -HALF], to: [HALF, FLOOR, HALF], block: 'stone' })
    await arena.reset()
    return arena
  }

  // Bare, with the bot whole and empty-handed in its middle, on its feet.
  async reset () {
    const { world, name: player } = this
    await world.ask('fill', { from: [-HALF, FLOOR, -HALF], to: [HALF, FLOOR, HALF], block: 'stone' })
    await world.ask('fill', { from: [-HALF, FLOOR + 1, -HALF], to: [HALF, FLOOR + 9, HALF], block: 'air' })
    await world.ask('sweep')
    await world.ask('clear', { player })
    await world.ask('change', { player, health: 20, food: 20, saturation: 5, exhaustion: 0, air: 300 })
    await this.stand(0, 0)
  }

  async stand (x, z) {
    const there = state => state.onGround && state.y > FLOOR && Math.abs(state.x - x - 0.5) < 0.1 && Math.abs(state.z - z - 0.5) < 0.1
    for (let tries = 0; ; tries++) {
      await this.world.ask('teleport', { player: this.name, x: x + 0.5, y: FLOOR + 1, z: z + 0.5 })
      try {
        await this.world.until(there, { player: this.name, ms: 15000 })
        break
      } catch (error) {
        if (tries === 3) throw error // a bot that died on the way is at its start again
      }
    }
    await this.seen(x, FLOOR, z, name => name !== 'air')
  }

  at (x, up, z) { return new Vec3(x, FLOOR + up, z) }

  async set (x, up, z, block, properties) {
    await this.world.ask('set', { x, y: FLOOR + up, z, block, properties })
    return this.seen(x, FLOOR + up, z, name => name === block)
  }

  // The block there, once the bot sees one that `test` takes.
  async seen (x, y, z, test) {
    for (let i = 0; i < 3000; i++) {
      const block = this.bot.blockAt(new Vec3(x, y, z))
      if (block && test(block.name)) return block
      await pause(10)
    }
    throw new Error(`at ${x}, ${y}, ${z} the bot still sees ${this.bot.blockAt(new Vec3(x, y, z))?.name}`)
  }

  async give (item, count = 1, more = {}) {
    await this.world.ask('give', { player: this.name, item, count, ...more })
    for (let i = 0; i < 3000; i++) {
      if (this.bot.inventory.items().some(({ name }) => name === item)) return
      await pause(10)
    }
    throw new Error(`the bot does not see its ${item}`)
  }

  async hold (item, more = {}) {
    await this.give(item, 1, more)
    await this.bot.equip(this.bot.registry.itemsByName[item].id, 'hand')
  }

  // Digs, and waits for the server, whose clock counts: the client takes a block for gone when it thinks so.
  async dig (x, up, z) {
    await this.bot.dig(this.bot.blockAt(this.at(x, up, z)), true)
    for (let i = 0; i < 3000; i++) {
      if ((await this.world.ask('block', { x, y: FLOOR + up, z })).block === 'air') return
      await pause(5)
    }
    throw new Error(`the block at ${x}, ${up}, ${z} was not broken`)
  }

  // [[item, count], ...] of what lies about and what the bot picked up since it had nothing.
  async gains () {
    const { drops } = await this.world.ask('drops')
    const { slots } = await this.world.ask('player', { player: this.name })
    const sums = new Map()
    for (const { item, count } of [...drops, ...slots]) sums.set(item, (sums.get(item) ?? 0) + count)
    return [...sums].sort()
  }

  // How many the server says that it has.
  async has (item) {
    const { slots } = await this.world.ask('player', { player: this.name })
    return slots.filter(slot => slot.item === item).reduce((sum, slot) => sum + slot.count, 0)
  }
}

module.exports = { Arena, FLOOR }
