// What went wrong with code, as whoever wrote it is to read it: Caravel's CodeError (src/voyager/environment.h).
const { calledFrom } = require('../bot/bounds')

const CODE = 'code'
const MOST = 2000 // characters of a message
const DEEP = 40 // calls of a trace
// Files are called "code", "skill:NAME" and "primitive:NAME"; all others are libraries.
const frame = /^\s*at (?:async )?(?:(\S+(?: \[as \S+\])?) \()?(code|skill:\w+|primitive:\w+):(\d+):\d+\)?$/
const atTop = /^(code|skill:\w+|primitive:\w+):(\d+)$/m // where the syntax is wrong

const nameOf = file => file.replace(/^\w+:/, '')

function framesOf (stack) {
  return String(stack ?? '').split('\n').flatMap(line => {
    const found = frame.exec(line)
    if (!found) return []
    const [, called = '', file, number] = found
    return [{ name: called.replace(/ \[as .*/, '').replace(/^(Object|bot)\./, '').replace('<anonymous>', ''), where: nameOf(file), line: Number(number) }]
  })
}

// Of what was thrown, which may be anything.
function failureOf (error) {
  let message, stack
  try {
    message = error instanceof Error ? error.message : `${typeof error === 'object' ? JSON.stringify(error) : String(error)} was thrown`
    if (error instanceof Error && error.name !== 'Error') message = `${error.name}: ${message}`
    stack = error?.stack
  } catch {
    message = 'something was thrown that cannot be read'
  }
  let frames = framesOf(stack)
  const syntax = error instanceof SyntaxError && atTop.exec(stack)
  if (syntax) frames = [{ name: '', where: nameOf(syntax[1]), line: Number(syntax[2]) }]
  if (frames.length === 0) frames = framesOf(calledFrom.get(error))
  const place = frames.find(({ where }) => where === CODE) ?? frames[0] ?? { where: '', line: 0 }
  const trace = frames.slice(0, DEEP).map(({ name, where, line }) => `${where}:${line}:${name ? ` in ${name}` : ''}`)
  const one = String(message).replace(/\s+/g, ' ').trim().slice(0, MOST)
  return { message: one || 'an error without a message', where: place.where, line: place.line, trace: trace.join('\n'), killed: false }
}

// Whether code had a part in it; libraries lose promises, too.
const isOfCode = error => framesOf(error?.stack).length > 0

module.exports = { failureOf, isOfCode, CODE }
