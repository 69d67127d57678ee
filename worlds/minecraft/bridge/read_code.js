// Reads JavaScript without running it: { main, functions, calls } (voyager::ParsedCode), or { failed } (skills/failure.js).
const acorn = require('acorn')
const { primitives } = require('../skills/primitives')

const PLAYER = 'bot'
const LONGEST = 64
const CODE = 'code'

class CodeError extends Error {
  constructor (message, line = 0) {
    super(message)
    this.line = line
  }
}

function parsed (code) {
  try {
    return acorn.parse(code, { ecmaVersion: 'latest', sourceType: 'script', locations: true })
  } catch (error) {
    if (error instanceof SyntaxError) throw new CodeError(error.message.replace(/ \(\d+:\d+\)$/, ''), error.loc.line)
    throw error // RangeError: nested deeper than can be read
  }
}

// [name, function] of what is defined at the top, in order.
function definitions (program) {
  return program.body.flatMap(statement => {
    if (statement.type === 'FunctionDeclaration') return [[statement.id.name, statement]]
    if (statement.type !== 'VariableDeclaration') return []
    return statement.declarations
      .filter(({ id, init }) => id.type === 'Identifier' && /^(Arrow)?FunctionExpression$/.test(init?.type))
      .map(({ id, init }) => [id.name, init])
  })
}

// Every node under this one, and it; a list of them, so that depth is no matter.
function nodesOf (root) {
  const all = [root]
  for (let i = 0; i < all.length; i++) {
    for (const value of Object.values(all[i])) {
      for (const child of Array.isArray(value) ? value : [value]) if (typeof child?.type === 'string') all.push(child)
    }
  }
  return all
}

function namesIn (nodes) {
  const called = new Set()
  const defined = new Set()
  for (const node of nodes) {
    if (node.type === 'CallExpression' && node.callee.type === 'Identifier') called.add(node.callee.name)
    if (/Function/.test(node.type)) {
      if (node.id) defined.add(node.id.name)
      for (const parameter of node.params) if (parameter.type === 'Identifier') defined.add(parameter.name)
    }
    if (node.type === 'VariableDeclarator' && node.id.type === 'Identifier') defined.add(node.id.name)
  }
  return [...called].filter(name => !defined.has(name)).sort()
}

function read (code) {
  const program = parsed(code)
  const functions = definitions(program)
  const [main, made] = functions.findLast(([, { params }]) => params.length === 1 && params[0].name === PLAYER) ?? ['']
  if (main === PLAYER || main.length > LONGEST) throw new CodeError(`${main.slice(0, LONGEST)}: a function of a task needs another name, of ${LONGEST} characters at most`, made.loc.start.line)
  if (primitives().some(({ functions }) => functions.includes(main))) throw new CodeError(`${main}: is a control primitive's name; give the task's function another one`, made.loc.start.line)
  return { main, functions: [...new Set(functions.map(([name]) => name))], calls: namesIn(nodesOf(program)) }
}

function readCode (code) {
  try {
    return { parsed: read(String(code)) }
  } catch (error) {
    const message = error instanceof CodeError ? error.message : 'it is nested too deeply to be read'
    return { failed: { message, where: error.line ? CODE : '', line: error.line ?? 0, trace: '', killed: false } }
  }
}

module.exports = { readCode }
