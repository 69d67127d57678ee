// Voyager's control primitives as text, from their files: [{ name, code, functions }], in the names' order.
const fs = require('node:fs')
const path = require('node:path')

const FOLDER = path.join(__dirname, 'primitives')

function primitives () {
  return fs.readdirSync(FOLDER).sort().map(file => {
    const code = fs.readFileSync(path.join(FOLDER, file), 'utf8')
    return { name: path.basename(file, '.js'), code, functions: [...code.matchAll(/^(?:async )?function (\w+)/gm)].map(([, name]) => name) }
  })
}

module.exports = { primitives }
