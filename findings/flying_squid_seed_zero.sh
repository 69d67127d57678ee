#!/usr/bin/env bash
# flying-squid 1.12.0, a world whose seed is 0, seen 2026-11-30.
#
# The seed of a world is given as generation.options.seed, and one that is not given is drawn at random. So is one that is
# 0, which counts as not given. Who counts seeds from 0, or gives 0 for a world that is to be the same in each run
# of a test, gets another world each time; all other seeds give the same world again.
#
# Starts two servers with seed 7 and two with seed 0, prints the seed that each uses and a digest of the ground's heights
# in one chunk. Exits with 1 where that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > log
npm install --silent --no-audit --no-fund flying-squid@1.12.0 minecraft-protocol@1.68.0 minecraft-data@3.119.0

cat > run.js <<'JS'
const crypto = require('crypto')
const { Vec3 } = require('vec3')
const squid = require('flying-squid')

async function run (seed) {
  const generation = { name: 'diamond_square', options: { seed, worldHeight: 80 } }
  const server = squid.createMCServer({
    version: '1.19.2', motd: 'seed', port: 0, 'max-players': 1, 'online-mode': false, logging: false, gameMode: 1,
    difficulty: 1, generation, kickTimeout: 10000, plugins: {}, modpe: false, 'view-distance': 2, 'everybody-op': false,
    'max-entities': 10, 'player-list-text': { header: { text: '' }, footer: { text: '' } }
  })
  await server.waitForReady(10000)
  const chunk = await server.overworld.getColumn(3, 5)
  const heights = []
  for (let at = 0; at < 256; at++) {
    let y = 100
    while (y > 0 && chunk.getBlock(new Vec3(at % 16, y, at >> 4)).name.match(/^(air|water)$/)) y--
    heights.push(y)
  }
  const digest = crypto.createHash('sha256').update(heights.join()).digest('hex').slice(0, 12)
  console.error(`seed ${seed}: the server uses ${generation.options.seed}, heights ${digest}`)
  return [generation.options.seed, digest].join()
}

(async () => {
  const seven = [await run(7), await run(7)]
  const zero = [await run(0), await run(0)]
  process.exit(seven[0] === seven[1] && zero[0] !== zero[1] ? 0 : 1)
})()
JS
# The server writes its log to the standard output, whatever `logging` says.
timeout 60 node run.js 3>&1 >log 2>&3
