/** Scores from 0 to 1 in the order in which the answers were shown, and the model's reason. */
export type Verdict = Readonly<{ scores: readonly number[]; reason: string }>

const LONGEST_REASON = 1_000
const PERCENT = 100
const OF_TEN = 10

type Fields = Readonly<Record<string, unknown>>

const parsed = (text: string): Fields | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Fields)
      : undefined
  } catch {
    return undefined
  }
}

/** The last object of a text: reasoning and code blocks come before it. Nested objects are part of their outer one. */
const lastObject = (text: string): Fields | undefined => {
  const end = text.lastIndexOf('}')
  if (end === -1) return undefined
  let depth = 0
  for (let at = end; at >= 0; at -= 1) {
    if (text[at] === '}') depth += 1
    else if (text[at] === '{') depth -= 1
    if (depth === 0) return parsed(text.slice(at, end + 1))
  }
  return undefined
}

const outermost = (text: string): Fields | undefined =>
  parsed(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1))

/** `0.8`, `"0.8"`, `"80%"`, `8/10` as a share; undefined where it is no number of that range. */
const shareOf = (value: unknown): number | undefined => {
  if (typeof value === 'string') {
    const [, number = '', unit] = /^\s*(\d{1,3}(?:\.\d{1,10})?)\s*(%|\/ ?10{1,2})?\s*$/.exec(value) ?? []
    if (number === '') return undefined
    if (unit === undefined) return shareOf(Number(number))
    return shareOf(Number(number) / (unit.endsWith('/10') || unit.endsWith('/ 10') ? OF_TEN : PERCENT))
  }
  const isShare = typeof value === 'number' && value >= 0 && value <= 1
  return isShare ? value : undefined
}

/** The value of the first of some names, however they are capitalised and separated. */
const field = (fields: Fields, ...names: readonly string[]): unknown => {
  const plain = (name: string) => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
  return Object.entries(fields).find(([name]) => names.includes(plain(name)))?.[1]
}

const WINNERS: ReadonlyMap<string, readonly number[]> = new Map([
  ['a', [1, 0]],
  ['b', [0, 1]],
  ['tie', [0.5, 0.5]],
])

const pairOf = (fields: Fields): readonly number[] | undefined => {
  const scores = field(fields, 'scores')
  const nested = typeof scores === 'object' && scores !== null ? (scores as Fields) : fields
  const [a, b] = [
    ['scorea', 'answera', 'a'],
    ['scoreb', 'answerb', 'b'],
  ].map(names => shareOf(field(nested, ...names)))
  if (a !== undefined && b !== undefined) return [a, b]
  const winner = String(field(fields, 'winner', 'preferred', 'better', 'verdict') ?? '').toLowerCase()
  return WINNERS.get(winner.replace(/^answer[ -]?/, ''))
}

const singleOf = (fields: Fields): readonly number[] | undefined => {
  const score = shareOf(field(fields, 'score', 'grade', 'rating'))
  return score === undefined ? undefined : [score]
}

/**
 * Reads a grading model's answer leniently: text and code blocks around the JSON are ignored, names may vary. Scores
 * outside 0 to 1 are no scores.
 * @returns undefined where it holds no scores
 */
export const readVerdict = (text: string, answers: 1 | 2): Verdict | undefined => {
  for (const fields of [outermost(text), lastObject(text)]) {
    if (!fields) continue
    const scores = answers === 1 ? singleOf(fields) : pairOf(fields)
    if (!scores) continue
    const reason = field(fields, 'reason', 'reasons', 'reasoning', 'explanation', 'rationale')
    return { scores, reason: typeof reason === 'string' ? reason.slice(0, LONGEST_REASON) : '' }
  }
  return undefined
}
