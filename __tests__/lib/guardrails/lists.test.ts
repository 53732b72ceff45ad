import { describe, expect, it } from 'vitest'
import { Duplicates } from '#lib/guardrails/duplicates.ts'
import { wordLists } from '#lib/guardrails/lists/word-list.ts'
import { longestInput } from '#lib/guardrails/longest-input.ts'
import { ruleSet } from '#lib/guardrails/registry.ts'
import { foundBy, verdictsOf } from './inspect.ts'

describe('word lists', () => {
  const [rail] = wordLists([
    { name: 'rivals', kind: 'topic', words: ['Acme', 'acme rockets', 'Café Noir', '競合', "don't buy"] },
  ])
  if (!rail) throw new Error('A list makes a rail.')

  it.each([
    ['Buy at ACME!', 'ACME'],
    ['the acme\n  rockets fly', 'acme\n  rockets'],
    ['CAFE NOIR', 'CAFE NOIR'],
    ['cafe\u0301 noir', 'cafe\u0301 noir'],
    ['ａｃｍｅ', 'ａｃｍｅ'],
    ['これは競合です', '競合'],
    ["please DON'T buy", "DON'T buy"],
    ['a\u0301cme', 'a\u0301cme'],
    [`ac${'\u0301'.repeat(16)}me`, `ac${'\u0301'.repeat(16)}me`],
    ['acme \u0301 rockets', 'acme \u0301 rockets'],
    ['acme¨rockets', 'acme¨rockets'],
  ])('find words in any case, with any diacritics and white space: %s', (text, word) => {
    expect(foundBy(rail, text)).toEqual([`rivals: ${word}`])
  })

  it.each([
    'acmeology',
    'acme\u0301ology',
    'é\u0301acme',
    'e\u0301acme',
    'placme',
    'acm e',
    'acme-less'.replace('acme', 'acne'),
  ])('find whole words only: %s', text => {
    expect(foundBy(rail, text)).toEqual([])
  })

  it('refuse a word that is empty or longer than 200 characters, without repeating it', () => {
    for (const word of [' ', '\u0301', '\u200b', 'x'.repeat(201), '\ufdfa'.repeat(20)])
      expect(() => wordLists([{ name: 'l', kind: 'word', words: [word] }])).toThrow(
        'A word of the list l is empty or longer than 200 characters.',
      )
  })

  it.each(['rock–roll', 'zone\u00a0٣', 'C:\\new', 'o\u200bdd'])(
    'find a word as it was configured: %s',
    word => {
      const [odd] = wordLists([{ name: 'l', kind: 'word', words: [word] }])
      if (!odd) throw new Error('A list makes a rail.')
      expect(foundBy(odd, `see ${word}, and go on`)).toEqual([`l: ${word}`])
    },
  )

  it.each([
    ['marks', '\u0301'],
    ['marks of two code units', '\u{1d165}'],
    ['the first character of a word, with marks', `a${'\u0301'.repeat(15)}`],
    ['a character that folds to many', '\ufdfa'],
    ['a character that folds to a space', '¨'],
    ['white space', '\u2028'],
    ['kana with half-width marks', '\uff9e'],
  ])('look at a long text of %s in a time that grows with its length', (_, unit) => {
    const [long] = wordLists([
      { name: 'l', kind: 'word', words: ['a'.repeat(200), `a${' b'.repeat(99)}`, 'acme'] },
    ])
    if (!long) throw new Error('A list makes a rail.')
    const msOf = (length: number): number => {
      const before = process.threadCpuUsage().user
      verdictsOf(long, unit.repeat(Math.ceil(length / unit.length)))
      return (process.threadCpuUsage().user - before) / 1000
    }
    msOf(20_000)
    expect(msOf(200_000)).toBeLessThan(20 * Math.max(12, msOf(20_000)))
  })

  it('look at the places they name', () => {
    const [answers] = wordLists([{ name: 'l', kind: 'word', words: ['acme'], places: ['answer'] }])
    if (!answers) throw new Error('A list makes a rail.')
    expect(foundBy(answers, 'acme', 'user')).toEqual([])
    expect(foundBy(answers, 'acme', 'answer')).toEqual(['l: acme'])
  })
})

describe('the longest input', () => {
  it('is what was configured, to the code unit', () => {
    expect(verdictsOf(longestInput(5), '12345')).toEqual([])
    expect(verdictsOf(longestInput(5), '1234567')).toMatchObject([{ kind: 'too-long', start: 5, end: 7 }])
  })
})

describe('duplicates', () => {
  const scene = (limits = {}) => {
    let now = 0
    const duplicates = new Duplicates(() => now, { most: 2, windowMs: 1000, ...limits })
    return { duplicates, pass: (ms: number) => (now += ms) }
  }

  it('are too many after the configured number within the window', () => {
    const { duplicates, pass } = scene()
    expect(duplicates.record('a', 'hello')).toEqual({ count: 1, isTooOften: false, retryAfterMs: 0 })
    pass(100)
    expect(duplicates.record('a', ' HELLO\n')).toMatchObject({ count: 2, isTooOften: false })
    pass(100)
    expect(duplicates.record('a', 'hello')).toEqual({ count: 3, isTooOften: true, retryAfterMs: 800 })
    pass(1000)
    expect(duplicates.record('a', 'hello')).toMatchObject({ isTooOften: false })
  })

  it('are counted for each caller alone, and for each content', () => {
    const { duplicates } = scene()
    for (const [caller, content] of [
      ['a', 'x'],
      ['b', 'x'],
      ['a', 'y'],
      ['ab', ''],
      ['a', 'b'],
    ] as const)
      expect(duplicates.record(caller, content).count).toBe(1)
  })

  it('are remembered in bounded memory', () => {
    const { duplicates } = scene({ remembered: 10 })
    for (let count = 0; count < 1000; count += 1) duplicates.record('a', `content ${count}`)
    for (let count = 0; count < 1000; count += 1) duplicates.record('a', 'again')
    expect(duplicates.size).toBe(10)
  })
})

describe('a rule set', () => {
  it('has the rails that are configured', () => {
    const { rails } = ruleSet({
      injection: true,
      sensitiveData: true,
      canaries: ['c-1234'],
      mostInputCharacters: 10,
    })
    expect(rails.map(({ name }) => name)).toEqual(['injection', 'sensitive-data', 'canary', 'longest-input'])
    expect(ruleSet({}).rails).toEqual([])
  })

  it('has a version that changes with its settings, and only with them', () => {
    const settings = { injection: true, canaries: ['secret-canary'] }
    const { version } = ruleSet(settings)
    expect(ruleSet({ ...settings }).version).toBe(version)
    expect(ruleSet({ ...settings, canaries: ['other'] }).version).not.toBe(version)
    expect(ruleSet({ ...settings, sensitiveData: true }).version).not.toBe(version)
    expect(version).toMatch(/^[\w-]{22}$/)
  })
})
