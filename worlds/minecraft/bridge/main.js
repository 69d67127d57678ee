// The trusted bot as a process: node bridge/main.js --port PORT [--host HOST] [--name NAME] [--clock RATE] [--seconds S]
// [--counts server]. Prints a line of JSON with its first observation when it stands in the world, then answers lines of
// JSON on stdin in their order:
//   {"do": "observe"}              {"ok", "observation"}; with --counts server what was done, too, where the server tells
//                                  (statistics.js)
//   {"do": "columns"}              {"ok", "columns"}: what it sees of the world from above (bot/surface.js)
//   {"do": "leave"}                so that a skill can join under the name
//   {"do": "join"}                 {"ok", "observation"}
//   {"do": "read", "code": TEXT}   {"ok", "parsed"} or {"ok", "failed"} (read_code.js)
// Ends with stdin; when the connection ends first, or none can be had again, it says so and ends with 1.
const readline = require('node:readline')
const { argumentsOf } = require('../command_line')
const { scaleClock } = require('../bot/clock')

const flags = {
  host: { fallback: '127.0.0.1', text: /^[\w.:-]+$/, means: 'a name or an address' },
  port: { low: 1, high: 65535, whole: true },
  name: { fallback: 'bot', text: /^\w{3,16}$/, means: 'three to sixteen letters, digits and _' },
  clock: { fallback: 1, low: 0.1, high: 50 },
  seconds: { fallback: 30, low: 0.1, high: 600 },
  counts: { fallback: 'none', oneOf: ['none', 'server'] }
}

const LEFT = 'it has left the world'

// Libraries print what they please; stdout has answers alone.
globalThis.console = new console.Console(process.stderr)

const say = value => process.stdout.write(`${JSON.stringify(value)}\n`)

class Bridge {
  constructor (options) {
    this.options = options
    this.bot = undefined // while it is in the world
    const { Statistics } = require('./statistics')
    this.statistics = options.counts === 'server' ? new Statistics() : undefined
  }

  async join () {
    const { connect } = require('../bot/connect')
    if (this.bot) return this.observe()
    const bot = await connect(this.options)
    let said = 'the connection has ended'
    bot.on('kicked', reason => { said = require('../bot/connect').spoken(reason) })
    bot.on('end', () => {
      if (this.bot !== bot) return
      say({ ok: false, ended: said })
      process.exit(1)
    })
    this.bot = bot
    return this.observe()
  }

  async observe () {
    const { observe } = require('../bot/observe')
    if (!this.bot) return { ok: false, error: LEFT }
    const counts = await this.statistics?.ask(this.bot) ?? {}
    return this.bot ? { ok: true, observation: { ...observe(this.bot), counts } } : { ok: false, error: LEFT }
  }

  columns () {
    const { surfaces } = require('../bot/surface')
    if (!this.bot) return { ok: false, error: LEFT }
    return { ok: true, columns: surfaces(this.bot) }
  }

  async leave () {
    const { bot } = this
    this.bot = undefined
    if (bot && bot._client.socket && !bot._client.ended) {
      await new Promise(resolve => { bot.once('end', resolve); bot.end() })
    }
    return { ok: true }
  }

  async answer (line) {
    let order
    try {
      order = JSON.parse(line)
    } catch (error) {
      return { ok: false, error: error.message }
    }
    if (order?.do === 'observe') return this.observe()
    if (order?.do === 'columns') return this.columns()
    if (order?.do === 'leave') return this.leave()
    if (order?.do === 'join') return this.join()
    if (order?.do === 'read') return { ok: true, ...require('./read_code').readCode(order.code) }
    return { ok: false, error: `${order?.do}: no such command; there are observe, columns, leave, join, read` }
  }
}

async function main () {
  const options = argumentsOf(flags, 'minecraft bridge')
  scaleClock(options.clock)
  const { ConnectError } = require('../bot/connect')
  const bridge = new Bridge(options)
  const answered = promise => promise.then(say, error => {
    if (!(error instanceof ConnectError)) throw error
    process.stderr.write(`minecraft bridge: ${error.message}\n`)
    process.exit(1)
  })
  process.stdout.on('error', () => process.exit(0))
  await answered(bridge.join())
  let last = Promise.resolve()
  readline.createInterface({ input: process.stdin })
    .on('line', line => { last = last.then(() => answered(bridge.answer(line))) })
    .on('close', () => process.exit(0))
}

main()
