// A server as a process and bots in this one, for the tests.
const { spawn } = require('node:child_process')
const path = require('node:path')
const readline = require('node:readline')
// Waits and deadlines of tests are real ones, whatever rate the bots' clock has.
const { setTimeout: realTimer } = require('node:timers')
const { setTimeout: pause } = require('node:timers/promises')
const mineflayer = require('mineflayer')
const version = require('../version')
const { scaleClock, realNow } = require('../bot/clock')

const MAIN = path.join(__dirname, '..', 'server', 'main.js')
const STARTS_IN = 60000

class World {
  // Resolves when players can connect. The clock of this process is scaled like the server's, once.
  static async start ({ seed = 1, clock = 1, difficulty = 'peaceful', view = 4 } = {}) {
    const words = Object.entries({ seed, clock, difficulty, view, port: 0 }).flatMap(([name, value]) => [`--${name}`, String(value)])
    if (clock !== 1 && !World.scaled) scaleClock(clock)
    World.scaled ||= clock !== 1
    const world = new World()
    world.process = spawn(process.execPath, [MAIN, ...words], { stdio: ['pipe', 'pipe', 'pipe'] })
    world.errors = ''
    world.process.stderr.on('data', data => { world.errors += data })
    world.waiting = []
    readline.createInterface({ input: world.process.stdout }).on('line', line => world.waiting.shift()?.(JSON.parse(line)))
    const timer = realTimer(() => world.process.kill('SIGKILL'), STARTS_IN)
    world.process.once('exit', () => { for (const resolve of world.waiting.splice(0)) resolve({ ok: false, error: `the server has ended: ${world.errors}` }) })
    const first = await new Promise(resolve => world.waiting.push(resolve))
    clearTimeout(timer)
    if (!first.port) throw new Error(first.error)
    world.clock = clock
    world.port = first.port
    world.bots = []
    return world
  }

  // A command of the server's; throws where it was refused.
  async ask (command, values = {}) {
    const answer = new Promise(resolve => this.waiting.push(resolve))
    this.process.stdin.write(`${JSON.stringify({ do: command, ...values })}\n`)
    const { ok, error, ...rest } = await answer
    if (!ok) throw new Error(`${command} ${JSON.stringify(values)}: ${error}`)
    return rest
  }

  async join (username = 'bot') {
    const bot = mineflayer.createBot({ host: '127.0.0.1', port: this.port, username, version, auth: 'offline', checkTimeoutInterval: 600000, respawn: true })
    bot.on('error', error => { bot.lastError = error })
    bot.on('kicked', reason => { bot.lastError = new Error(`kicked: ${reason}`) })
    this.bots.push(bot)
    await new Promise((resolve, reject) => {
      const timer = realTimer(() => reject(bot.lastError ?? new Error(`${username} has not joined: ${bot._client.state}, ${this.errors}`)), STARTS_IN)
      bot.once('spawn', () => { clearTimeout(timer); resolve() })
      bot.once('end', reason => { clearTimeout(timer); reject(bot.lastError ?? new Error(`the connection has ended: ${reason}`)) })
    })
    await bot.waitForChunksToLoad()
    return bot
  }

  // Waits for what the server says of a player.
  async until (test, { player = 'bot', ms = 60000 } = {}) {
    const end = realNow() + ms
    for (;;) {
      const state = await this.ask('player', { player })
      if (test(state)) return state
      if (realNow() > end) throw new Error(`in ${ms} ms it did not come to ${test}: ${JSON.stringify(state)}`)
      await pause(20)
    }
  }

  async ticks (count) {
    const { tick } = await this.ask('time')
    while ((await this.ask('time')).tick < tick + count) await pause(5)
  }

  async stop () {
    for (const bot of this.bots) bot.end()
    const ended = new Promise(resolve => this.process.once('exit', resolve))
    this.process.stdin.end()
    await ended
  }
}

const count = (state, name) => state.slots.filter(({ item }) => item === name).reduce((sum, { count }) => sum + count, 0)

module.exports = { World, count, pause }
