// The bot: mineflayer, bounded where it has no bounds of its own.
const mineflayer = require('mineflayer')
const { pathfinder, Movements } = require('mineflayer-pathfinder')
const AStar = require('mineflayer-pathfinder/lib/astar')
const version = require('../version')
const { bound } = require('./bounds')
const { alone, inReal, realNow } = require('./clock')

// The pathfinder takes any heap for what it cannot reach.
const SEARCH_RADIUS = 32
const THINKS = 3000 // ms
const THINKS_REAL = 1000 // ms of ours, at least: a faster clock makes no faster machine
// What it would dig through on its way, and whoever placed it comes back for.
const KEPT = ['crafting_table', 'furnace', 'blast_furnace', 'smoker', 'chest', 'trapped_chest', 'barrel', 'white_bed', 'torch', 'wall_torch']
const NEVER = 2 ** 31 - 1

// A search for a way ends its turns by the clock.
const { compute } = AStar.prototype
AStar.prototype.compute = function () { return alone(() => compute.call(this)) }

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

// The library's own option for a stream tells of the connection before anybody listens.
const connectBy = stream => client => {
  client.setSocket(stream)
  process.nextTick(() => client.emit('connect'))
}

// The library takes a server's word on versions for advice to whoever calls it.
const versionsIn = message => {
  const other = /^This server is version (\S+), you are using version/.exec(message)
  return other ? `it speaks version ${other[1]}, and this bot ${version}` : message
}

// Resolves to a bot that stands in the world, or rejects with ConnectError: what the server said, in one line. `stream`:
// a connection that is there already, in place of `host` and `port`. With `bounded`, its calls end (bounds.js).
function connect ({ host, port, stream, name, seconds, bounded = false }) {
  const where = stream ? 'the server' : `${host}:${port}`
  return new Promise((resolve, reject) => {
    const bot = mineflayer.createBot({ host, port, connect: stream && connectBy(stream), username: name, version, auth: 'offline', checkTimeoutInterval: NEVER, hideErrors: true })
    const end = realNow() + seconds * 1000
    const timer = setInterval(() => { if (realNow() > end) fail(`no word of a world in ${seconds} s`) }, 100)
    let waiting = true
    const fail = why => {
      if (!waiting) return
      waiting = false
      clearInterval(timer)
      bot.end()
      reject(new ConnectError(`${where}: ${why}`))
    }
    // These stay: an error that nobody listens for would end the process.
    bot.on('error', error => fail(error.code === 'ECONNREFUSED' ? 'nobody listens there' : versionsIn(error.message)))
    bot.on('kicked', reason => fail(spoken(reason)))
    bot._client.once('encryption_begin', () => fail('it is in online mode: it asks for an account, and this bot has none'))
    bot.on('end', reason => fail(`the connection has ended (${reason})`))
    bot.loadPlugin(pathfinder)
    bot.once('spawn', () => {
      // Some servers send fewer columns than this waits for.
      bot.waitForChunksToLoad().catch(error => { if (!bot.blockAt(bot.entity.position)) throw error }).then(() => {
        if (!waiting) return
        waiting = false
        clearInterval(timer)
        prepare(bot)
        if (bounded) bot.bounds = bound(bot)
        resolve(bot)
      }, error => fail(error.message))
    })
  })
}

function prepare (bot) {
  const movements = new Movements(bot)
  for (const name of KEPT) movements.blocksCantBreak.add(bot.registry.blocksByName[name].id)
  bot.pathfinder.setMovements(movements)
  bot.pathfinder.searchRadius = SEARCH_RADIUS
  bot.pathfinder.thinkTimeout = Math.max(THINKS, inReal(THINKS_REAL))
}

module.exports = { connect, ConnectError, spoken }
