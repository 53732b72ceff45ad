import { describe, expect, it } from 'vitest'
import { watchEvents } from '#lib/llm/providers/shared/body-watch.ts'

const redact = (text: string): string => text.replaceAll('sk-secret', '***')
const passed = (hidesUsage: boolean, ...pieces: readonly string[]): string => {
  const watch = watchEvents({ hasEndMark: true, hidesUsage, redact })
  const bytes = [...pieces.map(piece => watch.push(Buffer.from(piece))), watch.end()].map(
    one => one ?? new Uint8Array(),
  )
  return Buffer.concat(bytes).toString('utf8')
}

describe('a stream’s usage that the client did not ask for', () => {
  const chunk = (members: string): string => `data: {"id":"x",${members}}\n\n`
  const text = '"choices":[{"text":"a \\"usage\\": 1","finish_reason":"stop"}]'

  it.each([
    ['beside the last choice', `${text}, "usage": {"total_tokens":3}`, chunk(text)],
    ['before it', `"usage":{"total_tokens":3},${text}`, chunk(text)],
    ['null', `${text},"usage":null`, chunk(text)],
    ['without choices', '"usage":{"total_tokens":3}', ''],
    ['with none', '"choices": [ ],"usage":{"total_tokens":3}', ''],
  ])('is left out: %s', (_, members, expected) => {
    expect(passed(true, chunk(members))).toBe(`${expected}data: [DONE]\n\n`)
    expect(passed(false, chunk(members))).toBe(`${chunk(members)}data: [DONE]\n\n`)
  })
})

describe.each([
  ['with its usage', false],
  ['without the usage, which the client did not ask for', true],
])('a stream that passes %s', (_, hidesUsage) => {
  it.each([
    ['an error', '{"error":{"message":"bad key sk-secret"}}'],
    ['data that is no JSON', '{"choices": sk-secret'],
    ['what comes after an error', '{"error":{}}\n\ndata: {"text":"sk-secret"}'],
  ])('holds no secret in %s, wherever it is cut', (_what, data) => {
    const stream = `data: {"text":"Hello"}\n\ndata: ${data}\n\n`
    for (let at = 1; at < stream.length; at += 1) {
      const clean = passed(hidesUsage, stream.slice(0, at), stream.slice(at))
      expect(clean).toContain('Hello')
      expect(clean).not.toContain('sk-secret')
    }
  })
})
