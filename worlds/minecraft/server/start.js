// Puts a world together: flying-squid with its clock stopped and its rules replaced, and the game's parts in the order
// in which they take their turns.
const path = require('node:path')
const { Vec3 } = require('vec3')
const { createServer } = require('./quiet_squid')
const version = require('../version')
const { foldSeed } = require('../world/random')
const { spawnPoint } = require('../world/spawn_point')
const { Clock } = require('./clock')
const { Game } = require('./game')
const { listen } = require('./packets')
const { Windows } = require('./windows/windows')
const { Bodies } = require('./bodies')
const { Drops } = require('./drops')
const { Furnaces } = require('./furnaces')
const { Chests } = require('./chests')
const { Containers } = require('./containers')
const { Digging } = require('./digging')
const { Placing } = require('./placing')
const { Using } = require('./using')
const { Supports } = require('./supports')
const { Fluids } = require('./fluids')
const { Growth } = require('./growth')
const { Daylight } = require('./daylight')
const { Sleep, Homes } = require('./sleep')
const { Deaths } = require('./player/deaths')
const { Needs } = require('./player/needs')
const { Movement } = require('./player/movement')
const { Mobs } = require('./mobs/mobs')
const { Spawning } = require('./mobs/spawning')
const { Blasts } = require('./blasts')
const { Connections } = require('./connections')
const { Diary } = require('./diary')

const AWAKE = 80 // blocks from a player

function assemble (serv, options, worldSeed) {
  const game = new Game(serv, { worldSeed, difficulty: options.difficulty })
  game.Vec3 = Vec3
  game.isAwake = position => game.connected().some(survivor => Math.hypot(survivor.position.x - position.x, survivor.position.z - position.z) < AWAKE)
  game.windows = new Windows(game)
  game.bodies = new Bodies(game)
  game.chests = new Chests(game)
  game.placing = new Placing(game)
  game.deaths = new Deaths(game)
  game.movement = new Movement(game)
  game.blasts = new Blasts(game)
  game.homes = new Homes(game, spawnPoint(worldSeed))
  game.connections = game.add(new Connections(game, options.view))
  game.daylight = game.add(new Daylight(game))
  game.digging = game.add(new Digging(game))
  game.using = game.add(new Using(game))
  game.supports = game.add(new Supports(game))
  game.fluids = game.add(new Fluids(game))
  game.growth = game.add(new Growth(game))
  game.furnaces = game.add(new Furnaces(game))
  game.containers = game.add(new Containers(game))
  game.spawning = game.add(new Spawning(game))
  game.mobs = game.add(new Mobs(game))
  game.drops = game.add(new Drops(game))
  game.needs = game.add(new Needs(game))
  game.sleep = game.add(new Sleep(game))
  game.diary = game.add(new Diary(game))
  return game
}

// Resolves to { game, port, stop } when players can connect; rejects where the port is taken.
async function start (options) {
  const worldSeed = foldSeed(options.seed)
  const serv = createServer({
    host: '127.0.0.1',
    port: options.port,
    version,
    motd: 'A world of caravel voyage',
    'max-players': 20,
    'online-mode': false,
    'everybody-op': false,
    'max-entities': 1000,
    'view-distance': options.view,
    'player-list-text': { header: { text: '' }, footer: { text: '' } },
    gameMode: 0,
    difficulty: 1,
    logging: false,
    noConsoleOutput: true,
    hideErrors: true, // they come by serv.err, too
    debug: () => {}, // without it, each player adds listeners for the errors of the whole process
    kickTimeout: 120000,
    checkTimeoutInterval: 10000,
    plugins: {},
    // flying-squid takes a seed of 0 for none.
    generation: { name: path.join(__dirname, 'generation.js'), options: { seed: worldSeed % 2147483647 + 1, worldSeed } }
  })
  serv.err = () => {} // until it is there, what goes wrong is told by who waits for it
  serv.stopTickInterval()
  serv.doDaylightCycle = false
  const game = assemble(serv, options, worldSeed)
  serv.addPlugin('survival', {
    player (player) {
      // Before its own, which would unload what this player saw and save nothing.
      player._client.on('end', () => game.connections.left(player))
      player.once('asap', () => {
        player.login = async () => game.connections.login(player)
        listen(game, player)
      })
    }
  }, {})
  await Promise.race([serv.waitForReady(20000), new Promise((resolve, reject) => serv._server.once('error', reject))])
  serv.err = message => console.error(String(message).split('\n')[0])
  const clock = new Clock(options.clock, () => game.step())
  game.clock = clock
  clock.start()
  return { game, port: serv.listeningPort, stop () { clock.stop(); return serv.destroy() } }
}

module.exports = { start }
