// Walks towards `direction`, a Vec3 of -1, 0 or 1 each, until `callback()` gives something true, for `maxTime` seconds
// at most (60 if left out, 1200 at most); turns where there is no way on. y = -1 digs down, to the ores. Returns what
// callback gave, or null.
async function exploreUntil (bot, direction, maxTime = 60, callback = () => false) {
  if (typeof maxTime !== 'number') throw new Error('exploreUntil: maxTime must be a number of seconds')
  if (typeof callback !== 'function') throw new Error('exploreUntil: callback must be a function')
  if (!(direction instanceof Vec3)) throw new Error('exploreUntil: direction must be a Vec3')
  let { x: dx, y: dy, z: dz } = direction
  if (![dx, dy, dz].every(d => [-1, 0, 1].includes(d))) throw new Error('exploreUntil: direction must be a Vec3 of -1, 0 or 1 each')
  if (dx === 0 && dy === 0 && dz === 0) throw new Error('exploreUntil: direction must not be 0, 0, 0')
  const ends = Date.now() + Math.min(maxTime, 1200) * 1000
  const step = dy === 0 ? 12 : 4
  let blocked = 0
  for (;;) {
    const found = callback()
    if (found) {
      bot.chat('Explored until it was found.')
      return found
    }
    if (Date.now() >= ends || blocked === 8) break
    const from = bot.entity.position.clone()
    const to = from.offset(dx * step, dy * step, dz * step)
    const goal = dy === 0 ? new GoalNearXZ(to.x, to.z, 2) : dx === 0 && dz === 0 ? new GoalY(Math.floor(to.y)) : new GoalNear(Math.floor(to.x), Math.floor(to.y), Math.floor(to.z), 2)
    await bot.pathfinder.goto(goal).catch(() => {})
    if (bot.entity.position.distanceTo(from) > 1) {
      blocked = 0
      continue
    }
    blocked++
    await bot.waitForTicks(5)
    if (dx === 0 && dz === 0) [dx, dy] = [1, 0]
    else [dx, dz] = [-dz, dx]
  }
  bot.chat(blocked === 8 ? 'Stopped exploring: there is no way on.' : `Explored for ${maxTime} seconds and did not find it.`)
  return null
}
