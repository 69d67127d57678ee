// What a skill's code finds beside JavaScript's own: the names that Voyager's skills use.
const { Vec3 } = require('vec3')
const { Movements, goals } = require('mineflayer-pathfinder')

// What Voyager's published code calls these.
const aliases = {
  leather_cap: 'leather_helmet', leather_tunic: 'leather_chestplate', leather_pants: 'leather_leggings', lapis_lazuli_ore: 'lapis_ore'
}

function dataOf (bot) {
  const mcData = require('minecraft-data')(bot.version)
  for (const table of [mcData.itemsByName, mcData.blocksByName]) {
    for (const [alias, name] of Object.entries(aliases)) table[alias] ??= table[name]
  }
  return mcData
}

function scopeOf (bot) {
  return { bot, mcData: dataOf(bot), Vec3, Movements, goals, ...goals }
}

module.exports = { scopeOf }
