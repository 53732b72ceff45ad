import type { Steps } from '../../loop-turns.ts'
import { ENCODINGS, isReadable, mayHoldPayload, passagesIn } from '../text/payloads.ts'
import type { PlacedText, TextRail, Verdict } from '../types.ts'
import { isDisguised } from './disguise.ts'
import { hitsIn } from './match.ts'
import { TOKEN_RULES, TOKEN_SIGN } from './phrases.ts'
import { type Sighting, sentencesOf } from './score.ts'
import { viewsOf } from './views.ts'

/** What is looked at in one step: about a millisecond. */
const STEP = 2048
/** A rule that begins in a step may end so many code units after it. */
const OVERLAP = 512
/** Encoded within encoded. */
const DEEPEST = 2
const LONGEST_PAYLOAD = 8192
/** What is searched for encoded passages in one step: below two milliseconds. */
const SLICE = 32_768
/** All that is decoded of a text: what is more is not looked at. */
const MOST_DECODED = 131_072
/** Sightings that are kept: an attack that is repeated more often is no other one. */
const MOST_SIGHTINGS = 512

interface Passage {
  readonly decoded: string
  readonly start: number
  readonly end: number
}

/** Where a text is cut between two steps: at a space near a position, if there is one. */
const cutAt = (text: string, near: number): number => {
  if (near >= text.length) return text.length
  const from = Math.max(0, near - OVERLAP)
  const space = text.slice(from, near).lastIndexOf(' ')
  return space > 0 ? from + space : near
}

const signs = (text: string): Sighting[] => {
  if (!TOKEN_SIGN.test(text)) return []
  return TOKEN_RULES.flatMap(({ name, pattern, weight }) =>
    Array.from(text.matchAll(pattern), ({ 0: sign, index }) => ({
      rule: name,
      weight,
      start: index,
      end: index + sign.length,
      isDisguised: false,
    })),
  )
}

const inWindow = (window: string, base: number, length: number): Sighting[] => {
  const found: Sighting[] = signs(window)
    .filter(({ start }) => start < length)
    .map(sign => ({ ...sign, start: base + sign.start, end: base + sign.end }))
  for (const { name, tokens } of viewsOf(window))
    for (const hit of hitsIn(tokens))
      if (hit.start < length)
        found.push({
          ...hit,
          start: base + hit.start,
          end: base + hit.end,
          isDisguised: isDisguised(name, hit, window, tokens),
        })
  return found
}

/** The encoded passages of a text, slice by slice: one that is longer than a slice comes in parts. */
function* payloadsIn(text: string): Generator<Passage | undefined> {
  if (text.length <= SLICE && !mayHoldPayload(text)) return
  for (const encoding of ENCODINGS)
    for (let base = 0; base < text.length; base += SLICE) {
      yield undefined
      const slice = text.slice(base, base + SLICE + LONGEST_PAYLOAD)
      for (const { 0: passage, index } of passagesIn(slice, encoding)) {
        const decoded = index < SLICE ? encoding.decode(passage.slice(0, LONGEST_PAYLOAD)) : undefined
        if (decoded !== undefined && isReadable(decoded))
          yield { decoded, start: base + index, end: base + index + passage.length }
      }
    }
}

/** What is found in decoded passages counts as found in the whole passage. */
function* inPayloads(text: string, depth: number, budget: { left: number }): Steps<Sighting[]> {
  const found: Sighting[] = []
  for (const passage of payloadsIn(text)) {
    yield
    if (budget.left <= 0) break
    if (!passage) continue
    const { decoded, start, end } = passage
    budget.left -= decoded.length
    const inner = yield* sightingsIn(decoded, depth + 1, budget)
    found.push(...inner.map(({ rule, weight }) => ({ rule, weight, start, end, isDisguised: true })))
  }
  return found
}

function* sightingsIn(text: string, depth: number, budget: { left: number }): Steps<Sighting[]> {
  const found: Sighting[] = []
  for (let start = 0; start < text.length && found.length < MOST_SIGHTINGS; ) {
    const end = cutAt(text, start + STEP)
    found.push(...inWindow(text.slice(start, end + OVERLAP), start, end - start))
    start = end
    yield
  }
  if (depth < DEEPEST) found.push(...(yield* inPayloads(text, depth, budget)))
  return found.slice(0, MOST_SIGHTINGS)
}

function* inspect({ text, place }: PlacedText): Steps<readonly Verdict[]> {
  const sightings = yield* sightingsIn(text, 0, { left: MOST_DECODED })
  return sentencesOf(sightings, text, place).map(sentence => ({
    rail: 'injection',
    kind: 'prompt-injection',
    ...sentence,
  }))
}

/** Known phrases of prompt injections and jailbreaks, in plain words and in disguise. It finds no paraphrase. */
export const injection: TextRail = {
  type: 'text',
  name: 'injection',
  places: ['system', 'user', 'tool-result', 'document', 'tool-definition'],
  inspect,
}

/**
 * From which score on a verdict is reported and from which it blocks, by preset. In a tool result or document a single
 * rule in plain words stays below the default's: others discuss such phrases there.
 */
export const INJECTION_PRESETS = {
  default: { flag: 0.45, block: 0.9 },
  strict: { flag: 0.3, block: 0.45 },
} as const
