// flying-squid as it comes, in offline mode: prints its port, ends with stdin.
const { createServer } = require('../server/quiet_squid')
const version = require('../version')

globalThis.console = new console.Console(process.stderr)
const serv = createServer({
  host: '127.0.0.1', port: 0, version, motd: 'stock', 'max-players': 5, 'online-mode': process.argv[2] === 'online', 'everybody-op': false, 'max-entities': 100, 'view-distance': 4,
  gameMode: 0, difficulty: 0, logging: false, noConsoleOutput: true, kickTimeout: 60000, plugins: {}, generation: { name: 'superflat', options: { worldHeight: 80 } }, 'player-list-text': { header: { text: '' }, footer: { text: '' } }
})
serv.on('listening', port => process.stdout.write(`${JSON.stringify({ port })}\n`))
process.stdin.resume().on('end', () => process.exit(0))
