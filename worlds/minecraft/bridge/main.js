// A bot as a process: node bridge/main.js --port PORT [--host HOST] [--name NAME] [--clock RATE] [--seconds S]. Prints
// a line of JSON with its first observation when it stands in the world, then answers lines of JSON on stdin in their
// order: {"do": "observe"}. Ends with stdin; when the connection ends first, it says so and ends with 1.
const readline = require('node:readline')
const { argumentsOf } = require('../command_line')
const { scaleClock } = require('../bot/clock')

const flags = {
  host: { fallback: '127.0.0.1', text: /^[\w.:-]+$/, means: 'a name or an address' },
  port: { low: 1, high: 65535, whole: true },
  name: { fallback: 'bot', text: /^\w{3,16}$/, means: 'three to sixteen letters, digits and _' },
  clock: { fallback: 1, low: 0.1, high: 50 },
  seconds: { fallback: 30, low: 0.1, high: 600 }
}

// Libraries print what they please; stdout has answers alone.
globalThis.console = new console.Console(process.stderr)

function answer (bot, chests, line) {
  const { observe } = require('./observe')
  let order
  try {
    order = JSON.parse(line)
  } catch (error) {
    return { ok: false, error: error.message }
  }
  if (order?.do !== 'observe') return { ok: false, error: `${order?.do}: no such command; there is observe` }
  return { ok: true, observation: observe(bot, chests) }
}

async function main () {
  const options = argumentsOf(flags, 'minecraft bridge')
  scaleClock(options.clock)
  const { connect, ConnectError, spoken } = require('./connect')
  const { ChestMemory } = require('./chest_memory')
  const bot = await connect(options).catch(error => {
    if (!(error instanceof ConnectError)) throw error
    process.stderr.write(`minecraft bridge: ${error.message}\n`)
    return process.exit(1)
  })
  const chests = new ChestMemory(bot)
  const say = value => process.stdout.write(`${JSON.stringify(value)}\n`)
  let said = 'the connection has ended'
  bot.on('kicked', reason => { said = spoken(reason) })
  bot.on('end', () => {
    say({ ok: false, ended: said })
    process.exit(1)
  })
  process.stdout.on('error', () => process.exit(0))
  say(answer(bot, chests, '{"do": "observe"}'))
  readline.createInterface({ input: process.stdin })
    .on('line', line => say(answer(bot, chests, line)))
    .on('close', () => process.exit(0))
}

main()
