import { isWord } from '../scan/characters.ts'
import { VisibleText } from '../scan/visible-text.ts'
import { type Detector, OPEN, type Outcome } from '../types.ts'

/** So many characters of a system prompt in a row are a leak: longer than a phrase that two texts share by chance. */
export const SHORTEST_LEAK = 60
/** A longer leak is found in pieces. */
const LONGEST_LEAK = 1024
/** What of the prompts is compared; the index is built per call, in about a millisecond. */
const MOST_PROMPT = 8192
/** How far places of the prompt are put in order: beyond it the first of the equal ones is compared. */
const SORTED_DEPTH = SHORTEST_LEAK
/** White space counts as one space: so much of it in a row is skipped. */
const MOST_SPACES = 4

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
  return Array.from({ length: units.length }, (_, index) =>
    String.fromCharCode(lower(units.charCodeAt(index))),
  ).join('')
}

/** Where words of the prompt begin, ordered by what follows. */
const wordStarts = (prompt: string): readonly number[] => {
  const starts: number[] = []
  for (let index = 0; index + SHORTEST_LEAK <= prompt.length; index += 1)
    if (prompt.charAt(index) !== ' ' && (index === 0 || !isWord(prompt.charCodeAt(index - 1))))
      starts.push(index)
  const key = (start: number): string => prompt.slice(start, start + SORTED_DEPTH)
  return starts
    .map(start => ({ start, key: key(start) }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ start }) => start)
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

/** Finds passages of a system prompt that are repeated word for word, whatever their case and white space. */
export const promptLeak = (prompts: readonly string[]): Detector => {
  const prompt = normal(prompts.join('\n'))
  const starts = wordStarts(prompt)
  const firsts = new Set(starts.map(start => prompt.charCodeAt(start)))

  const at = (text: string, start: number, isLast: boolean): Outcome => {
    let range: readonly [number, number] = [0, starts.length]
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
      const next = matched < SORTED_DEPTH ? narrow(prompt, starts, range, matched, code) : range
      if (next[0] >= next[1]) break
      if (matched >= SORTED_DEPTH && prompt.charCodeAt((starts[next[0]] ?? 0) + matched) !== code) break
      range = next
      matched += 1
      if (spaces === 0) end = position + 1
    }
    return leakOf(matched, end)
  }
  return {
    name: 'prompt-leak',
    longest: LONGEST_LEAK * (MOST_SPACES + 1),
    starts: code => (code < 128 ? firsts.has(lower(code)) : [...firsts].some(first => first > 127)),
    atWordStart: true,
    at,
  }
}

function leakOf(matched: number, end: number): Outcome {
  return matched < SHORTEST_LEAK
    ? undefined
    : { end, kind: 'system-prompt', rule: 'system-prompt-verbatim', score: 0.9 }
}
