// bot.collectBlock, as mineflayer's plugin of that name has it: collect(target or [target, ...], { count, ignoreNoPath })
// goes to each block, digs it and picks up what it leaves; a target may be what lies about, too. Returns how many
// blocks it dug; that of mineflayer takes no count.
const { goals } = require('mineflayer-pathfinder')

const SCATTERED = 5 // blocks around one that was dug, where what it left may lie
const SETTLES = 30 // ticks of the server's, within which it is there
const LONGEST = 300 // of the bot's own
const FROM = 3 // blocks, from which a block is dug

function inject (bot) {
  const lying = place => Object.values(bot.entities)
    .filter(entity => entity.name === 'item' && entity.position.distanceTo(place) <= SCATTERED)
    .sort((a, b) => a.position.distanceTo(bot.entity.position) - b.position.distanceTo(bot.entity.position))

  const goTo = (place, range) => bot.pathfinder.goto(new goals.GoalNear(Math.floor(place.x), Math.floor(place.y), Math.floor(place.z), range))

  // It comes to lie there by the server's clock, which may be behind this one's. What cannot be reached stays.
  async function pickUpAt (place) {
    const given = new Set()
    let taken = false
    const take = collector => { taken ||= collector === bot.entity }
    bot.on('playerCollect', take)
    let until = bot.time.age + SETTLES
    for (let ticks = 0; ticks < LONGEST && bot.time.age < until; ticks += 2) {
      await bot.waitForTicks(2)
      const item = lying(place).find(({ id }) => !given.has(id))
      if (item) {
        given.add(item.id)
        await goTo(item.position, 0).catch(() => goTo(item.position, 1)).catch(() => {})
        until = bot.time.age + SETTLES
        for (let i = 0; i < LONGEST && bot.entities[item.id] && bot.time.age < until; i++) await bot.waitForTicks(1)
      } else if (taken) {
        break
      }
    }
    bot.removeListener('playerCollect', take)
  }

  async function dig (block) {
    if (bot.entity.position.distanceTo(block.position.offset(0.5, 0, 0.5)) > FROM) await goTo(block.position, FROM - 1)
    const now = bot.blockAt(block.position)
    if (now?.type !== block.type) return false
    await bot.tool.equipForBlock(now, { requireHarvest: true })
    await bot.dig(now)
    await pickUpAt(block.position)
    return true
  }

  async function collect (target, options = {}) {
    const targets = [target].flat().filter(Boolean)
    const count = options.count ?? targets.length
    const left = new Set(targets)
    let dug = 0
    let last
    while (dug < count && left.size > 0) {
      const here = bot.entity.position
      const next = [...left].reduce((a, b) => b.position.distanceTo(here) < a.position.distanceTo(here) ? b : a)
      left.delete(next)
      try {
        if (next.name === 'item' || next.username !== undefined) await goTo(next.position, 0)
        else if (await dig(next)) dug++
      } catch (error) {
        if (!(options.ignoreNoPath && ['NoPath', 'Timeout'].includes(error.name))) throw error
        last = error
      }
    }
    if (dug === 0 && last && !options.ignoreNoPath) throw last
    return dug
  }

  bot.collectBlock = { collect, pickUpAt }
}

module.exports = inject
