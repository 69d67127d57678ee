// A survival world as a process: node server/main.js --seed N --clock RATE --port PORT. Prints one line of JSON when
// players can connect, then answers commands (commands.js) until stdin ends, and ends with it.
const readline = require('node:readline')
const { argumentsOf } = require('../command_line')
const flags = require('./flags')

// Libraries print what they please, a lost connection for one; stdout has answers alone.
globalThis.console = new console.Console(process.stderr)

function fail (message) {
  process.stderr.write(`minecraft server: ${message}\n`)
  process.exit(1)
}

async function main () {
  const options = argumentsOf(flags, 'minecraft server')
  const { start } = require('./start')
  const { answer } = require('./commands')
  const world = await start(options).catch(error => fail(error.code === 'EADDRINUSE' ? `port ${options.port} is taken` : error.message))
  const say = value => process.stdout.write(`${JSON.stringify(value)}\n`)
  say({ port: world.port, seed: options.seed, clock: options.clock, version: require('../version') })
  readline.createInterface({ input: process.stdin })
    .on('line', line => say(answer(world.game, line)))
    .on('close', () => process.exit(0))
  process.stdout.on('error', () => process.exit(0))
}

main()
