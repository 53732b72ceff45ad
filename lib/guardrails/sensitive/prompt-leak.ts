import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { VisibleText } from '../scan/visible-text.ts'
import { type Detector, OPEN, type Outcome } from '../types.ts'
import { HEAD, PromptIndex } from './prompt-index.ts'

/** Characters of a system prompt in a row that are a leak: longer than a phrase that two texts share by chance. */
const SHORTEST_LEAK = 60
/** A longer leak is found in pieces. */
const LONGEST_LEAK = 1024
/** What of the prompts is compared: README names it. */
export const MOST_PROMPT = 65_536
/** Characters of prompts whose detectors are kept: the calls of an application have the same ones. */
const MOST_KEPT = 1_048_576
/** How far places of the prompt are put in order: beyond it the first of the equal ones is compared. */
const SORTED_DEPTH = SHORTEST_LEAK
/** Most characters of white space in a row within a leak: together they count as one space. */
const MOST_SPACES = 4

const NOT_ASCII = /[^\0-\x7f]/

const isSpace = (code: number): boolean => code === 32 || (code >= 9 && code <= 13)

const lower = (code: number): number =>
  code < 128
    ? code >= 65 && code <= 90
      ? code + 32
      : code
    : String.fromCharCode(code).toLowerCase().charCodeAt(0)

/** A prompt as the text is seen, with single spaces, in lower case. */
const normal = (text: string): string => {
  const visible = new VisibleText()
  visible.append(text)
  const units = visible.view.replace(/\s+/g, ' ').trim().slice(0, MOST_PROMPT)
  if (!NOT_ASCII.test(units)) return units.toLowerCase()
  return Array.from({ length: units.length }, (_, index) =>
    String.fromCharCode(lower(units.charCodeAt(index))),
  ).join('')
}

/** The part of a range of ordered places whose character at a depth is the given one: [from, to). */
const narrow = (
  prompt: string,
  starts: readonly number[],
  [from, to]: readonly [number, number],
  depth: number,
  code: number,
): readonly [number, number] => {
  const firstWhere = (test: (at: number) => boolean): number => {
    let low = from
    let high = to
    while (low < high) {
      const middle = (low + high) >> 1
      if (test(prompt.charCodeAt((starts[middle] ?? 0) + depth))) high = middle
      else low = middle + 1
    }
    return low
  }
  return [firstWhere(at => at >= code), firstWhere(at => at > code)]
}

const detectorOf = (prompt: string): Detector => {
  const index = new PromptIndex(prompt, SHORTEST_LEAK)
  const hasOthers = NOT_ASCII.test(prompt)

  const at = (text: string, start: number, isLast: boolean): Outcome => {
    let head = ''
    let starts: readonly number[] = []
    let range: readonly [number, number] = [0, 0]
    let matched = 0
    let spaces = 0
    let end = start
    for (let position = start; matched < LONGEST_LEAK; position += 1) {
      if (position >= text.length) return isLast ? leakOf(matched, end) : OPEN
      const raw = text.charCodeAt(position)
      spaces = isSpace(raw) ? spaces + 1 : 0
      if (spaces > MOST_SPACES) break
      if (spaces > 1) continue
      const code = spaces === 1 ? 32 : lower(raw)
      if (matched < HEAD) {
        head += String.fromCharCode(code)
        if (!index.begins(head)) break
        if (head.length === HEAD) starts = index.startsOf(head)
        range = [0, starts.length]
      } else if (matched < SORTED_DEPTH) {
        range = narrow(prompt, starts, range, matched, code)
        if (range[0] >= range[1]) break
      } else if (prompt.charCodeAt((starts[range[0]] ?? 0) + matched) !== code) break
      matched += 1
      if (spaces === 0) end = position + 1
    }
    return leakOf(matched, end)
  }
  return {
    name: 'prompt-leak',
    longest: LONGEST_LEAK * (MOST_SPACES + 1),
    starts: code => (code < 128 ? index.begins(String.fromCharCode(lower(code))) : hasOthers),
    atWordStart: true,
    at,
  }
}

function leakOf(matched: number, end: number): Outcome {
  return matched < SHORTEST_LEAK
    ? undefined
    : { end, kind: 'system-prompt', rule: 'system-prompt-verbatim', score: 0.9 }
}

const known = new LRUCache<string, Detector>({ maxSize: MOST_KEPT })

/** Finds passages of system prompts that are repeated word for word, whatever their case and white space. */
export const promptLeak = (prompts: readonly string[]): Detector => {
  const joined = prompts.join('\n').slice(0, 2 * MOST_PROMPT)
  const key = hash('sha256', joined, 'base64')
  const kept = known.get(key)
  if (kept) return kept
  const created = detectorOf(normal(joined))
  known.set(key, created, { size: Math.max(1, joined.length) })
  return created
}
