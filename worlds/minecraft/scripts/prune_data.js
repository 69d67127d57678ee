// minecraft-data installs every version of two editions (some 430 MB). This keeps the files of one version and the
// lists that it shares with the others, and says how many bytes went.
const fs = require('node:fs')
const path = require('node:path')
const version = require('../version')

const data = path.join(path.dirname(require.resolve('minecraft-data')), 'minecraft-data', 'data')
const paths = JSON.parse(fs.readFileSync(path.join(data, 'dataPaths.json'), 'utf8')).pc[version]
const kept = new Set(Object.entries(paths).map(([kind, folder]) => `${folder}/${kind}`))

function isKept (file) {
  const name = path.relative(data, file)
  return name === 'dataPaths.json' || /^(pc|bedrock)\/common\//.test(name) || kept.has(name.replace(/\.\w+$/, ''))
}

function prune (folder) {
  let bytes = 0
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name)
    if (entry.isDirectory()) {
      bytes += prune(file)
      if (fs.readdirSync(file).length === 0) fs.rmdirSync(file)
    } else if (!isKept(file)) {
      bytes += fs.statSync(file).size
      fs.unlinkSync(file)
    }
  }
  return bytes
}

console.log(`minecraft-data: ${(prune(data) / 1e6).toFixed(0)} MB of other versions removed, ${version} stays`)
