// The bot: mineflayer, bounded where it has no bounds of its own.
const mineflayer = require('mineflayer')
const { pathfinder, Movements } = require('mineflayer-pathfinder')
const version = require('../version')
const { realNow } = require('../bot/clock')

// The pathfinder takes any heap for what it cannot reach.
const SEARCH_RADIUS = 32
const THINKS = 3000 // ms
const NEVER = 2 ** 31 - 1

class ConnectError extends Error {}

// What a server says when it sends one away is a chat component, or text.
function spoken (reason) {
  try {
    const parsed = typeof reason === 'string' ? JSON.parse(reason) : reason
    return [parsed.text, parsed.translate, ...(parsed.extra ?? []).map(spoken)].filter(Boolean).join('') || JSON.stringify(parsed)
  } catch {
    return String(reason)
  }
}

// Resolves to a bot that stands in the world, or rejects with ConnectError: what the server said, in one line.
function connect ({ host, port, name, seconds }) {
  return new Promise((resolve, reject) => {
    const bot = mineflayer.createBot({ host, port, username: name, version, auth: 'offline', checkTimeoutInterval: NEVER, hideErrors: true })
    const end = realNow() + seconds * 1000
    const timer = setInterval(() => { if (realNow() > end) fail(`no word of a world in ${seconds} s`) }, 100)
    let waiting = true
    const fail = why => {
      if (!waiting) return
      waiting = false
      clearInterval(timer)
      bot.end()
      reject(new ConnectError(`${host}:${port}: ${why}`))
    }
    // These stay: an error that nobody listens for would end the process.
    bot.on('error', error => fail(error.code === 'ECONNREFUSED' ? 'nobody listens there' : error.message))
    bot.on('kicked', reason => fail(spoken(reason)))
    bot.on('end', reason => fail(`the connection has ended (${reason})`))
    bot.loadPlugin(pathfinder)
    bot.once('spawn', () => {
      bot.waitForChunksToLoad().then(() => {
        if (!waiting) return
        waiting = false
        clearInterval(timer)
        bound(bot)
        resolve(bot)
      }, error => fail(error.message))
    })
  })
}

function bound (bot) {
  bot.pathfinder.setMovements(new Movements(bot))
  bot.pathfinder.searchRadius = SEARCH_RADIUS
  bot.pathfinder.thinkTimeout = THINKS
}

module.exports = { connect, ConnectError, spoken }
