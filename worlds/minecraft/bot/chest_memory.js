// What was in each chest when it was last open, as the bot saw it. A window does not say of which block it is: it is
// of the one that was clicked last.
const { sums } = require('./observe')

const kinds = /^minecraft:generic_9x/
const keyOf = ({ x, y, z }) => `(${x}, ${y}, ${z})`

class ChestMemory {
  // `seen` is called with a chest's place and what it holds, { name: count }, or with null where it is gone.
  constructor (bot, seen) {
    this.clicked = undefined
    const write = bot._client.write.bind(bot._client)
    bot._client.write = (name, packet) => {
      if (name === 'block_place') this.clicked = packet.location
      write(name, packet)
    }
    bot.on('windowOpen', window => {
      if (!kinds.test(window.type) || !this.clicked) return
      const key = keyOf(this.clicked)
      const remember = () => seen(key, sums(window.containerItems()))
      remember()
      window.on('updateSlot', remember)
    })
    const known = new Set(['chest', 'trapped_chest', 'barrel'])
    bot.on('blockUpdate', (old, now) => {
      if (old && now && known.has(old.name) && old.name !== now.name) seen(keyOf(now.position), null)
    })
  }
}

module.exports = { ChestMemory }
