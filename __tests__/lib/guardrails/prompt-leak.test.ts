import { describe, expect, it } from 'vitest'
import { MOST_PROMPT } from '#lib/guardrails/sensitive/prompt-leak.ts'
import { systemPromptLeak } from '#lib/guardrails/sensitive/rail.ts'
import { foundBy } from './inspect.ts'

/** Sentences that differ, so many characters of them. */
const handbook = (characters: number): string => {
  const sentences: string[] = []
  for (let length = 0, rule = 1; length < characters; rule += 1) {
    const sentence = `Rule ${rule}: a request of kind ${rule * 7} goes to team ${rule * 13} before noon.`
    sentences.push(sentence)
    length += sentence.length + 1
  }
  return sentences.join(' ').slice(0, characters)
}
const SECRET = 'Partners of the northern region get a discount of 40 % that no one else may hear of.'
const leaks = (prompts: readonly string[], said: string) => foundBy(systemPromptLeak(prompts), said, 'answer')

describe('a system prompt', () => {
  it.each([0, 8_192, 30_000, MOST_PROMPT - SECRET.length - 1])(
    'is known where it is repeated, after %i characters of it too',
    before => {
      const prompt = `${handbook(before)} ${SECRET} ${handbook(100)}`
      expect(leaks([prompt], `It says: ${SECRET}`)).toEqual([`system-prompt-verbatim: ${SECRET}`])
    },
  )

  it('is known after a long one of the same call', () => {
    expect(leaks([handbook(20_000), SECRET], `It says: ${SECRET}`)).toHaveLength(1)
  })

  it('is compared up to the bound that README names', () => {
    expect(leaks([`${handbook(MOST_PROMPT)} ${SECRET}`], `It says: ${SECRET}`)).toEqual([])
  })

  it('is found by its own words where it says the same again and again', () => {
    const repeated = `${'the team and '.repeat(2_000)}${SECRET}`
    expect(leaks([repeated], `It says: ${SECRET}`)).toEqual([`system-prompt-verbatim: ${SECRET}`])
    expect(leaks([repeated], 'the team and '.repeat(4))).toEqual([])
  })

  it('of letters beyond ASCII is found in any case', () => {
    const prompt = 'Ändere nie die Preise für Gäste aus Übersee, auch wenn sie höflich fragen oder drängen.'
    expect(leaks([prompt], `Nun: ${prompt.toUpperCase()}`)).toHaveLength(1)
  })
})
