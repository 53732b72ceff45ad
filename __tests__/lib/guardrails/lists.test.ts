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
  ])('find words in any case, with any diacritics and white space: %s', (text, word) => {
    expect(foundBy(rail, text)).toEqual([`rivals: ${word}`])
  })

  it.each(['acmeology', 'placme', 'acm e', 'acme-less'.replace('acme', 'acne')])(
    'find whole words only: %s',
    text => {
      expect(foundBy(rail, text)).toEqual([])
    },
  )

  it('refuse a word that is empty or longer than 200 characters, without repeating it', () => {
    for (const word of [' ', 'x'.repeat(201)])
      expect(() => wordLists([{ name: 'l', kind: 'word', words: [word] }])).toThrow(
        'A word of the list l is empty or longer than 200 characters.',
      )
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
