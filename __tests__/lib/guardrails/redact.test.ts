import { describe, expect, it } from 'vitest'
import { MOST_PLACEHOLDERS, NO_PLACEHOLDERS, Redactor, Restorer, restore } from '#lib/guardrails/redact.ts'
import { sensitiveData } from '#lib/guardrails/sensitive/rail.ts'
import type { Verdict } from '#lib/guardrails/types.ts'
import { atOnce } from '#lib/loop-turns.ts'
import { verdictsOf } from './inspect.ts'

const redact = (text: string, verdicts: readonly Verdict[], known = NO_PLACEHOLDERS) => {
  const redactor = new Redactor(known)
  return { text: atOnce(redactor.redact(text, verdicts)), placeholders: redactor.placeholders }
}
const redacted = (text: string, known = NO_PLACEHOLDERS) =>
  redact(text, verdictsOf(sensitiveData, text), known)

describe('redaction', () => {
  it('puts the same placeholder for the same value, in the whole conversation', () => {
    const first = redacted('Mail a@example.com and b@example.com, then a@example.com.')
    expect(first.text).toBe('Mail [EMAIL_1] and [EMAIL_2], then [EMAIL_1].')
    const second = redacted('Again b@example.com, c@example.com', first.placeholders)
    expect(second.text).toBe('Again [EMAIL_2], [EMAIL_3]')
  })

  it('leaves no value in the text', () => {
    const { text } = redacted('Card 4111 1111 1111 1111, SSN 536-22-8714, IBAN DE89 3704 0044 0532 0130 00')
    expect(text).toBe('Card [CARD_1], SSN [NATIONAL_NUMBER_1], IBAN [IBAN_1]')
  })

  it('puts the values back into an answer', () => {
    const { placeholders } = redacted('Mail a@example.com')
    expect(restore('I wrote to [EMAIL_1]; [EMAIL_2] is unknown.', placeholders)).toBe(
      'I wrote to a@example.com; [EMAIL_2] is unknown.',
    )
  })

  it('puts them back wherever the answer was cut', () => {
    const { placeholders } = redacted('Mail a@example.com')
    const answer = 'To [EMAIL_1], [EMAIL_1]! [EMAIL'
    for (let first = 0; first <= answer.length; first += 1)
      for (let second = first; second <= answer.length; second += 1) {
        const restorer = new Restorer(placeholders)
        const chunks = [answer.slice(0, first), answer.slice(first, second), answer.slice(second)]
        expect(chunks.map(chunk => restorer.push(chunk)).join('') + restorer.end()).toBe(
          'To a@example.com, a@example.com! [EMAIL',
        )
      }
  })

  it('never takes what a caller wrote for its own placeholder', () => {
    const { text, placeholders } = redacted('[EMAIL_1] a@example.com')
    expect(text).toBe('[EMAIL_1] [EMAIL_2]')
    expect(restore(text, placeholders)).toBe('[EMAIL_1] a@example.com')
  })

  it.each(['[EMAIL_1]', '[email_1]', '［EMAIL_1］', '[EM\u200bAIL_1]', '\\u005bEMAIL_1]'])(
    'gives out no placeholder that another text of the call writes: %s',
    written => {
      const texts = ['dora@example.com', `the template uses ${written} literally`]
      const redactor = new Redactor(
        NO_PLACEHOLDERS,
        texts.map(text => ({ text })),
      )
      const [text = ''] = texts
      expect(atOnce(redactor.redact(text, verdictsOf(sensitiveData, text)))).toBe('[EMAIL_2]')
      expect(restore(`${written} [EMAIL_2]`, redactor.placeholders)).toBe(`${written} dora@example.com`)
    },
  )

  it('reads the texts of the call once, when something is redacted', () => {
    let reads = 0
    const given = {
      get text() {
        reads += 1
        return '[EMAIL_1]'
      },
    }
    const redactor = new Redactor(NO_PLACEHOLDERS, Array(1_000).fill(given))
    expect(reads).toBe(0)
    for (const text of ['a@example.com', 'b@example.com'])
      atOnce(redactor.redact(text, verdictsOf(sensitiveData, text)))
    expect(reads).toBe(1_000)
  })

  it('leaves JSON valid: a number becomes a string, and one with a sign 0', () => {
    const json =
      '{"n":4111111111111111,"s":"a \\" 4111111111111111","l":[ 4111111111111111 ],"m":-4111111111111111}'
    const { text } = redacted(json)
    expect(JSON.parse(text)).toEqual({ n: '[CARD_1]', s: 'a " [CARD_1]', l: ['[CARD_1]'], m: -0 })
    expect(redacted('[note] 4111111111111111').text).toBe('[note] [CARD_1]')
  })

  it('replaces spans that overlap as one', () => {
    const span = { rail: 'r', rule: 'r', score: 1 }
    const verdicts = [
      { ...span, kind: 'word', start: 2, end: 6 },
      { ...span, kind: 'email', start: 0, end: 4 },
    ]
    expect(redact('abcdefgh', verdicts).text).toBe('[EMAIL_1]gh')
  })

  it('keeps no more than 1,000 values of a conversation', () => {
    const text = Array.from({ length: MOST_PLACEHOLDERS + 5 }, (_, index) => `u${index}@example.com`).join(
      ' ',
    )
    const { text: out, placeholders } = redacted(text)
    expect(placeholders.values.size).toBe(1000)
    expect(out).not.toContain('@')
    expect(out.endsWith('[EMAIL] [EMAIL]')).toBe(true)
  })
})
