// Waits until the creature is gone. Returns whether it was within `timeout` seconds (300 if left out); after that, an
// attack on it is stopped.
async function waitForMobRemoved (bot, entity, timeout = 300) {
  for (let ticks = 0; ticks < timeout * 20; ticks += 5) {
    if (!bot.entities[entity.id] || !entity.isValid) return true
    await bot.waitForTicks(5)
  }
  bot.pvp.stop()
  return false
}

// The same of a creature that is shot at.
async function waitForMobShot (bot, entity, timeout = 300) {
  return waitForMobRemoved(bot, entity, timeout)
}
