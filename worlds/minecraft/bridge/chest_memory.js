// What was in each chest when it was last open, as the bot saw it. A window does not say of which block it is: it is
// of the one that was clicked last.
const { sums } = require('./observe')

const kinds = /^minecraft:generic_9x/

class ChestMemory {
  constructor (bot) {
    this.seen = new Map()
    this.clicked = undefined
    const write = bot._client.write.bind(bot._client)
    bot._client.write = (name, packet) => {
      if (name === 'block_place') this.clicked = packet.location
      write(name, packet)
    }
    bot.on('windowOpen', window => {
      if (!kinds.test(window.type) || !this.clicked) return
      const { x, y, z } = this.clicked
      const remember = () => this.seen.set(`(${x}, ${y}, ${z})`, sums(window.containerItems()))
      remember()
      window.on('updateSlot', remember)
    })
    bot.on('blockUpdate', (old, now) => {
      if (old && now && old.name !== now.name) this.seen.delete(`(${now.position.x}, ${now.position.y}, ${now.position.z})`)
    })
  }

  all () {
    return Object.fromEntries(this.seen)
  }
}

module.exports = { ChestMemory }
