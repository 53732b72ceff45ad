import { describe, expect, it } from 'vitest'
import { AnswerRestorer } from '#lib/guardrails/output/answer-restorer.ts'
import type { ReplyEvent } from '#lib/llm/types.ts'

const KEY = '-----BEGIN KEY-----\nab"c\n-----END KEY-----'
const placeholders = { values: new Map([['[PRIVATE_KEY_1]', KEY]]) }

/** What an answer says after values were put back into it, cut after every character. */
const restoredText = (text: string, isJson?: boolean): string => {
  const restorer = new AnswerRestorer(placeholders, isJson)
  const events: readonly ReplyEvent[] = [
    ...Array.from(text, (character): ReplyEvent => ({ type: 'text-delta', text: character })),
    { type: 'finish', reason: 'stop' },
  ]
  return restorer
    .take(events)
    .events.map(event => (event.type === 'text-delta' ? event.text : ''))
    .join('')
}

describe('values that are put back into an answer', () => {
  it.each([
    '{"key":"[PRIVATE_KEY_1]"}',
    ' {\n  "key": "[PRIVATE_KEY_1]"\n}',
    '[ {"key":"[PRIVATE_KEY_1]"} ]',
  ])('leave it JSON where it begins like JSON: %s', json => {
    expect(JSON.stringify(JSON.parse(restoredText(json)))).toContain(JSON.stringify(KEY))
  })

  it('leave it JSON where JSON was asked for, however it begins', () => {
    expect(JSON.parse(restoredText('"[PRIVATE_KEY_1]"', true))).toBe(KEY)
  })

  it.each([
    '[PRIVATE_KEY_1]',
    'It is {"key": "[PRIVATE_KEY_1]"}',
    '[1] is [PRIVATE_KEY_1]',
    '{name} has [PRIVATE_KEY_1]',
  ])('are as they were where it is no JSON: %s', text => {
    expect(restoredText(text)).toBe(text.replace('[PRIVATE_KEY_1]', KEY))
  })
})
