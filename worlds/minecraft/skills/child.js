// What runs in the child (README.md): one line is read from descriptor 3, done, and answered there.
//   node skills/child.js --mode load
//     {"load": {"name", "code"}} -> {"loaded": true}, or {"failed": ...} where what stands beside the function does not
//     end, or does not define it
//   node skills/child.js --mode run --name NAME --clock RATE      with a connection to a server as descriptor 4
//     {"run": {"code", "main", "skills": [{"name", "code"}...], "seconds"}}
//       -> {"joined": TICK}, any number of {"chat": TEXT, "tick"}, {"chest": PLACE, "holds": {NAME: COUNT} or null},
//       {"column": ...} of what comes into sight (bot/surface.js), and {"alive": true, "at": [X, Y, Z] once it has
//       joined}, which its event loop says every two seconds, then
//       {"done": true}, {"failed": ...} (failure.js), or {"sent_away": TEXT} where no world could be joined
// `seconds` are of the bot's own clock. Whoever started it ends it after its last line, and when it takes too long.
const net = require('node:net')
const readline = require('node:readline')
const { argumentsOf } = require('../command_line')
const { scaleClock, followWorld } = require('../bot/clock')

const BRIDGE = 3
const SERVER = 4
const JOINS_IN = 60 // seconds
const CHAT_BYTES = 500
const CHAT_LINES = 200
const SETTLES = 6 // ticks after the code's end: what it dug comes in
const flags = {
  mode: { oneOf: ['run', 'load'] },
  name: { fallback: 'bot', text: /^\w{3,16}$/, means: 'three to sixteen letters, digits and _' },
  clock: { fallback: 1, low: 0.1, high: 50 }
}

const timers = require('node:timers') // the clock of who waits for it, whatever the bot's is
const ALIVE = 2000 // ms
const LEAVES_IN = 3000 // ms

process.env.HOME = '/' // a library asks for it at its start, and where there is none the system's list of users is not to be read

const parent = new net.Socket({ fd: BRIDGE })
const say = value => parent.write(`${JSON.stringify(value)}\n`)
parent.on('error', () => process.exit(1))
parent.on('close', () => process.exit(1))

function firstLine () {
  return new Promise(resolve => readline.createInterface({ input: parent }).once('line', line => resolve(JSON.parse(line))))
}

function load ({ name, code }) {
  const { Library } = require('./library')
  const { failureOf } = require('./failure')
  const { Vec3 } = require('vec3')
  try {
    const loaded = new Library({ Vec3 }).load(`skill:${name}`, code, [name])
    if (typeof loaded[name] !== 'function') throw new Error(`it defines no function ${name}`)
    return { loaded: true }
  } catch (error) {
    return { failed: failureOf(error) }
  }
}

// Chat is what feedback is made of: it is told at once, and said in the world, too.
function tellChat (bot) {
  const chat = bot.chat
  let lines = 0
  const tell = text => {
    if (++lines > CHAT_LINES) throw new Error(`said more than ${CHAT_LINES} lines`)
    say({ chat: text.slice(0, CHAT_BYTES), tick: bot.time.age ?? 0 })
  }
  bot.chat = words => {
    const text = String(words)
    tell(text)
    chat(text.slice(0, CHAT_BYTES))
  }
  const { format } = require('node:util')
  globalThis.console = Object.fromEntries(['log', 'info', 'warn', 'error', 'debug', 'trace'].map(level => [level, (...words) => tell(format(...words))]))
}

function prepare (bot) {
  for (const plugin of ['tool', 'collect_block', 'pvp']) bot.loadPlugin(require(`../bot/plugins/${plugin}`))
  bot.inventoryUsed = () => bot.inventory.items().length
  const { ChestMemory } = require('../bot/chest_memory')
  const { watchSurfaces } = require('../bot/surface')
  const chests = new ChestMemory(bot, (chest, holds) => say({ chest, holds }))
  tellChat(bot)
  watchSurfaces(bot, column => say({ column }))
  return chests
}

function libraryFor (bot, skills) {
  const { scopeOf } = require('./scope')
  const { primitives } = require('./primitives')
  const { Library } = require('./library')
  const library = new Library(scopeOf(bot))
  for (const primitive of primitives()) library.add(primitive, `primitive:${primitive.name}`)
  for (const skill of skills) library.add(skill, `skill:${skill.name}`)
  return library
}

// Resolves to the last line.
function run (bot, { code, main, skills, seconds }) {
  const { failureOf, isOfCode, CODE } = require('./failure')
  return new Promise(resolve => {
    const fail = error => resolve({ failed: failureOf(error) })
    const stray = error => { if (isOfCode(error)) fail(error) }
    process.on('uncaughtException', stray)
    process.on('unhandledRejection', stray)
    bot.on('end', reason => fail(new Error(`the connection to the world has ended (${reason})`)))
    const killed = message => resolve({ failed: { message, where: '', line: 0, trace: '', killed: true } })
    setTimeout(() => killed(`ended after ${seconds} seconds of the world's time: do less in one function`), seconds * 1000)
    const begin = async () => {
      const functions = libraryFor(bot, skills).load(CODE, code, [main])
      if (typeof functions[main] !== 'function') throw new Error(`it defines no function ${main}`)
      await functions[main](bot)
      await bot.waitForTicks(SETTLES)
    }
    begin().then(() => resolve({ done: true }), fail)
  })
}

// Until the server has read all that was sent: a connection that is closed with words unread on this side takes those on
// the other side with it.
function leave (bot) {
  return new Promise(resolve => {
    timers.setTimeout(resolve, LEAVES_IN)
    if (bot._client.ended) { resolve(); return }
    bot.once('end', resolve)
    bot.end()
  })
}

async function main () {
  const options = argumentsOf(flags, 'minecraft skill')
  if (options.mode === 'load') { say(load((await firstLine()).load)); return }
  let at
  timers.setInterval(() => say({ alive: true, at: at?.() }), ALIVE)
  scaleClock(options.clock)
  const { connect, ConnectError } = require('../bot/connect')
  const stream = new net.Socket({ fd: SERVER })
  try {
    const [bot, request] = await Promise.all([connect({ stream, name: options.name, seconds: JOINS_IN, bounded: true }), firstLine()])
    followWorld(bot)
    prepare(bot)
    at = () => bot.entity?.position?.toArray()
    say({ joined: bot.time.age ?? 0 })
    const last = await run(bot, request.run)
    await leave(bot)
    say(last)
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error
    say({ sent_away: error.message })
  }
}

main()
