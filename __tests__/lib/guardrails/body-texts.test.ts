import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { textsOfBody } from '#lib/guardrails/output/body-texts.ts'
import { inTurns } from '#lib/loop-turns.ts'

const EVENTS = 'text/event-stream; charset=utf-8'
const read = (body: string, type?: string) => inTurns(textsOfBody(body, type))
const changed = async (body: string, type: string | undefined, changes: Record<string, string>) =>
  (await read(body, type)).withTexts(new Map(Object.entries(changes)))
const eventsOf = (data: readonly object[]): string =>
  [...data.map(one => `data: ${JSON.stringify(one)}\n\n`), 'data: [DONE]\n\n'].join('')
const choice = (text: string, index = 0) => ({ id: 'cmpl-1', choices: [{ text, index, logprobs: null }] })
/** The text of each choice of a stream. */
const spoken = (body: string): Record<number, string> => {
  const texts: Record<number, string> = {}
  for (const line of body.split('\n').filter(one => one.startsWith('data: {')))
    for (const { index, text } of JSON.parse(line.slice(6)).choices)
      texts[index] = (texts[index] ?? '') + text
  return texts
}

describe('the texts of a body', () => {
  it('are its whole where it is neither JSON nor a stream', async () => {
    expect((await read('1\n00:00 --> 00:02\nHello')).texts).toEqual(['1\n00:00 --> 00:02\nHello'])
    expect(await changed('a@b.c', 'text/plain', { 'a@b.c': '[EMAIL]' })).toBe('[EMAIL]')
  })

  it('are the strings of JSON, each once, without names; its other members stay as they are written', async () => {
    const body =
      '{"id":"x", "n": 1.0, "text":"Say \\"hi\\"","segments":[{"text":"Say \\"hi\\""},{"text":"b"}]}'
    expect((await read(body)).texts).toEqual(['Say "hi"', 'b'])
    expect(await changed(body, 'application/json', { 'Say "hi"': '"' })).toBe(
      '{"id":"x", "n": 1.0, "text":"\\"","segments":[{"text":"\\""},{"text":"b"}]}',
    )
  })

  it('leave its words empty where one of them is replaced', async () => {
    const body = '{"text":"4111 1111","words":[{"word":"4111","start":0},{"word":"1111","start":1}]}'
    expect((await read(body)).texts).toEqual(['4111 1111'])
    expect(JSON.parse(await changed(body, undefined, { '4111 1111': '[CARD]' }))).toEqual({
      text: '[CARD]',
      words: [
        { word: '', start: 0 },
        { word: '', start: 1 },
      ],
    })
  })

  it('are in a stream what its events say together, for each choice', async () => {
    const body = eventsOf([choice('4111 '), choice('one', 1), choice('1111'), choice(' two', 1)])
    expect((await read(body, EVENTS)).texts).toEqual(['4111 1111', 'one two'])
    expect(spoken(await changed(body, EVENTS, { '4111 1111': '[CARD]' }))).toEqual({
      0: '[CARD]',
      1: 'one two',
    })
  })

  it('are in a transcript’s stream the pieces and the whole', async () => {
    const body = eventsOf([
      { type: 'transcript.text.delta', delta: 'a@', logprobs: [{ token: 'a@', logprob: -1 }] },
      { type: 'transcript.text.delta', delta: 'b.c' },
      { type: 'transcript.text.done', text: 'a@b.c' },
    ])
    expect((await read(body, EVENTS)).texts).toEqual(['a@b.c'])
    const written = await changed(body, EVENTS, { 'a@b.c': '[EMAIL]' })
    expect(written).not.toContain('a@')
    expect(written).toContain('"delta":"[EMAIL]"')
    expect(written).toContain('"text":"[EMAIL]"')
    expect(written).toContain('data: [DONE]')
  })

  it('are the lines themselves where events are no JSON', async () => {
    const body = 'event: note\r\ndata: a@b.c\r\n\r\n'
    expect((await read(body, EVENTS)).texts).toContain('data: a@b.c\r\n')
    expect(await changed(body, EVENTS, { 'data: a@b.c\r\n': 'data: [EMAIL]\r\n' })).toBe(
      'event: note\r\ndata: [EMAIL]\r\n\r\n',
    )
  })

  it('do not depend on where a stream cuts them, and leave all else as it was', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.string({ unit: 'binary' }), fc.nat(2)), { minLength: 1, maxLength: 20 }),
        fc.nat(2),
        async (pieces, picked) => {
          const body = eventsOf(pieces.map(([text, index]) => choice(text, index)))
          const whole = spoken(body)
          const { texts } = await read(body, EVENTS)
          expect(new Set(texts)).toEqual(new Set(Object.values(whole)))
          expect(await changed(body, EVENTS, { ' no such text ': 'x' })).toBe(body)
          const text = whole[picked]
          if (text === undefined) return
          const expected = Object.fromEntries(
            Object.entries(whole).map(([index, one]) => [index, one === text ? '[GONE]' : one]),
          )
          expect(spoken(await changed(body, EVENTS, { [text]: '[GONE]' }))).toEqual(expected)
        },
      ),
      { numRuns: 200 },
    )
  })
})
