// What a server counts of a player, as the protocol has it told to whoever asks, in the words of an observation's counts,
// and "got:" for what was picked up or made. Minecraft's own servers tell; one that does not is not asked again.
const { smeltedIn } = require('../rules/smelting')
const { realNow } = require('../bot/clock')

const ANSWERS_IN = 2000 // ms
const LOOKS_EVERY = 25 // ms
// The protocol's numbers of categories.
const MINED = 0
const CRAFTED = 1
const USED = 2
const PICKED_UP = 4
const KILLED = 6

// By category: the names by their numbers, and in which words one of them counts.
function categoriesOf (registry) {
  const smelted = new Set(registry.itemsArray.map(({ name }) => smeltedIn('furnace', name)))
  // What comes out of a furnace is made, for a server that counts.
  const made = name => smelted.has(name) ? ['crafted', 'smelted', 'got'] : ['crafted', 'got']
  const used = name => registry.foodsByName[name] ? ['eaten'] : registry.blocksByName[name] ? ['placed'] : []
  return {
    [MINED]: [registry.blocks, () => ['mined']],
    [CRAFTED]: [registry.items, made],
    [USED]: [registry.items, used],
    [PICKED_UP]: [registry.items, () => ['got']],
    [KILLED]: [registry.entities, () => ['killed']]
  }
}

function countsOf (entries, registry) {
  const categories = categoriesOf(registry)
  const counts = {}
  for (const { categoryId, statisticId, value } of entries) {
    const [named, words] = categories[categoryId] ?? []
    const name = named?.[statisticId]?.name
    for (const word of name ? words(name) : []) counts[`${word}:${name}`] = (counts[`${word}:${name}`] ?? 0) + value
  }
  return counts
}

class Statistics {
  constructor () {
    this.silent = false
  }

  // Resolves to the counts; to none where nobody tells.
  async ask (bot) {
    if (this.silent) return {}
    const entries = await new Promise(resolve => {
      const end = realNow() + ANSWERS_IN
      const told = packet => { clearInterval(timer); resolve(packet.entries) }
      const timer = setInterval(() => {
        if (realNow() < end) return
        clearInterval(timer)
        bot._client.removeListener('statistics', told)
        resolve(undefined)
      }, LOOKS_EVERY)
      bot._client.once('statistics', told)
      bot._client.write('client_command', { actionId: 'request_stats' })
    })
    this.silent = entries === undefined
    return this.silent ? {} : countsOf(entries, bot.registry)
  }
}

module.exports = { Statistics }
