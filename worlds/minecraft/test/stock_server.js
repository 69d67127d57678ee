// flying-squid as it comes, in offline mode ("online": in the other): prints its port, ends with stdin. "counting": tells
// players their statistics, as Minecraft's own server does.
const { createServer } = require('../server/quiet_squid')
const version = require('../version')

globalThis.console = new console.Console(process.stderr)
const serv = createServer({
  host: '127.0.0.1', port: 0, version, motd: 'stock', 'max-players': 5, 'online-mode': process.argv[2] === 'online', 'everybody-op': false, 'max-entities': 100, 'view-distance': 4,
  gameMode: 0, difficulty: 0, logging: false, noConsoleOutput: true, kickTimeout: 60000, plugins: {}, generation: { name: 'superflat', options: { worldHeight: 80 } }, 'player-list-text': { header: { text: '' }, footer: { text: '' } }
})
if (process.argv[2] === 'counting') {
  const { blocksByName: blocks, itemsByName: items, entitiesByName: entities } = serv.registry
  const told = [[0, blocks.oak_log.id, 3], [1, items.stick.id, 8], [1, items.iron_ingot.id, 1], [2, items.bread.id, 2], [2, items.torch.id, 5], [2, items.stone_axe.id, 9], [4, items.dirt.id, 4], [6, entities.cow.id, 1], [8, 1, 7], [1, 1e6, 1]]
  serv._server.on('login', client => client.on('client_command', ({ actionId }) => {
    if (actionId === 'request_stats') client.write('statistics', { entries: told.map(([categoryId, statisticId, value]) => ({ categoryId, statisticId, value })) })
  }))
}
serv.on('listening', port => process.stdout.write(`${JSON.stringify({ port })}\n`))
process.stdin.resume().on('end', () => process.exit(0))
