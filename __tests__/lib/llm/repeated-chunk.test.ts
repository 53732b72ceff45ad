import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chunkReader } from '#lib/llm/providers/shared/openai-reply.ts'
import type { OpenAiVariant } from '#lib/llm/providers/shared/openai-variant.ts'
import { RepeatedChunk } from '#lib/llm/providers/shared/repeated-chunk.ts'
import type { SseEvent } from '#lib/sse-parser.ts'

const event = (data: string): SseEvent => ({ event: '', data })
const read = (learned: string, text: string, next: string): string | undefined => {
  const chunk = new RepeatedChunk('content')
  chunk.learn(event(learned), text)
  return chunk.textOf(event(next))
}

describe('a chunk that repeats another one but for its text', () => {
  it.each([
    [
      '{"id":1,"delta":{"content":"a"},"end":null}',
      'a',
      '{"id":1,"delta":{"content":"один"},"end":null}',
      'один',
    ],
    ['{"content" : "a"}', 'a', '{"content" : "bc"}', 'bc'],
    ['{"content":"say \\"a\\""}', 'say "a"', '{"content":"b"}', 'b'],
    ['{"content":"a"}', 'a', '{"content":"\ud83d"}', '\ud83d'],
  ])('%s is recognised', (learned, text, next, found) => {
    expect(read(learned, text, next)).toBe(found)
  })

  it.each([
    ['has an escape', '{"content":"a"}', 'a', '{"content":"b\\n"}'],
    ['has an escaped quote at its end', '{"content":"a"}', 'a', '{"content":"b\\""}'],
    ['has a control character', '{"content":"a"}', 'a', '{"content":"\t"}'],
    ['has another member', '{"content":"a"}', 'a', '{"content":"b","c":"d"}'],
    ['has no text', '{"content":"a"}', 'a', '{"content":""}'],
    ['is shorter than its frame', '{"content":"a"}', 'a', '{"content":"}'],
    ['differs before', '{"index":0,"content":"a"}', 'a', '{"index":1,"content":"b"}'],
    ['differs after', '{"content":"a","end":null}', 'a', '{"content":"b","end":"stop"}'],
    ['repeats a member', '{"content":"a","x":{"content":"a"}}', 'a', '{"content":"b","x":{"content":"a"}}'],
    ['holds the text as another kind of value', '{"content":["a"]}', 'a', '{"content":["b"]}'],
    ['writes its text in another way', '{"content":"\\u0061"}', 'a', '{"content":"b"}'],
  ])('is left to the parser where it %s', (_, learned, text, next) => {
    expect(read(learned, text, next)).toBeUndefined()
  })

  it('has the same event name', () => {
    const chunk = new RepeatedChunk('content')
    chunk.learn(event('{"content":"a"}'), 'a')
    expect(chunk.textOf({ event: 'error', data: '{"content":"b"}' })).toBeUndefined()
  })
})

/** Chunks as vendors send them, some of which say nothing but a text. */
const texts = fc.constantFrom('a', ' b', 'один', '"', '\\', '\n', '', 'content', '"content":"x"', '🎉')
const deltas = fc.oneof(
  { weight: 6, arbitrary: texts.map(content => ({ content })) },
  texts.map(content => ({ role: 'assistant', content })),
  texts.map(reasoning_content => ({ reasoning_content, content: null })),
  texts.map(refusal => ({ refusal })),
  fc.constant({ tool_calls: [{ index: 0, id: 'c', function: { name: 'f', arguments: '{}' } }] }),
  texts.map(text => ({ content: [{ type: 'text', text }] })),
)
const chunks = fc.record(
  {
    id: fc.constantFrom('x', 'y'),
    service_tier: fc.constantFrom('default', 'flex', null),
    choices: fc.tuple(
      fc.record(
        {
          index: fc.constantFrom(0, 0, 0, 1),
          delta: deltas,
          // Of relays that cannot stream.
          message: texts.map(content => ({ role: 'assistant', content })),
          finish_reason: fc.constantFrom(null, null, null, 'stop'),
        },
        { requiredKeys: [] },
      ),
    ),
    usage: fc.constantFrom(null, null, { prompt_tokens: 3, completion_tokens: 2 }),
  },
  { requiredKeys: ['choices'] },
)

describe('a streamed answer', () => {
  it('is taken from one whole message alone, where a relay sends it again', () => {
    const variant = { provider: 'openai' } as OpenAiVariant
    const read = chunkReader({
      variant,
      replyId: 'r',
      passesOn: false,
      redact: (text: string) => text,
    } as never)
    const texts = ['Hel', 'Hello'].flatMap(content =>
      (read(event(JSON.stringify({ choices: [{ message: { content } }] }))).events ?? []).map(one =>
        'text' in one ? one.text : '',
      ),
    )
    expect(texts).toEqual(['Hel'])
  })

  it('is read the same where no chunk repeats another one', () => {
    const variant = { provider: 'openai' } as OpenAiVariant
    const options = { variant, replyId: 'r', passesOn: false, redact: (text: string) => text }
    fc.assert(
      fc.property(fc.array(chunks, { maxLength: 12 }), given => {
        const written = given.map(chunk => JSON.stringify(chunk))
        const [quick, slow] = [chunkReader(options), chunkReader(options)]
        const parts = written.map(data => quick(event(data)))
        // White space of another length before each: none begins as the one before it.
        const others = written.map((data, index) => slow(event(' '.repeat(index) + data)))
        expect(parts).toEqual(others)
      }),
    )
  })
})
