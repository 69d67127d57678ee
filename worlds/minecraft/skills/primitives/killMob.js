// Goes to the nearest creature called `mobName` within 48 blocks, attacks it until it is gone, for `timeout` seconds at
// most (300 if left out), and picks up what it drops.
async function killMob (bot, mobName, timeout = 300) {
  if (typeof mobName !== 'string') throw new Error('killMob: mobName must be the name of a creature')
  if (typeof timeout !== 'number') throw new Error('killMob: timeout must be a number of seconds')
  const weapons = ['diamond_sword', 'iron_sword', 'stone_sword', 'diamond_axe', 'iron_axe', 'stone_axe', 'golden_sword', 'wooden_sword', 'wooden_axe']
  const weapon = weapons.map(name => bot.inventory.items().find(item => item.name === name)).find(Boolean)
  const mob = bot.nearestEntity(entity => entity.name === mobName && entity.position.distanceTo(bot.entity.position) < 48)
  if (!mob) {
    bot.chat(`No ${mobName} is near, explore first.`)
    return
  }
  if (weapon) await bot.equip(weapon, 'hand')
  bot.pvp.attack(mob)
  if (await waitForMobRemoved(bot, mob, timeout)) {
    await bot.collectBlock.pickUpAt(mob.position)
    bot.chat(`Killed a ${mobName}.`)
  } else {
    bot.chat(`Did not kill a ${mobName} in ${timeout} seconds.`)
  }
}
