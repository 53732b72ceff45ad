import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { textsOfBody } from '#lib/guardrails/output/body-texts.ts'
import { divided } from '#lib/guardrails/output/piece-groups.ts'
import { inTurns } from '#lib/loop-turns.ts'

const EVENTS = 'text/event-stream; charset=utf-8'
const read = (body: string, type?: string) => inTurns(textsOfBody(body, type))
const changed = async (body: string, type: string | undefined, changes: Record<string, string>) =>
  (await read(body, type)).withTexts(new Map(Object.entries(changes)), { word: () => '', emptiesCodes: true })
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
    const body = '{"id":"x", "n": 1.0, "text":"Say \\"hi\\"","note":"Say \\"hi\\"","more":{"note":"b"}}'
    expect((await read(body)).texts).toEqual(['Say "hi"', 'b'])
    expect(await changed(body, 'application/json', { 'Say "hi"': '"' })).toBe(
      '{"id":"x","n":1.0,"text":"\\"","note":"\\"","more":{"note":"b"}}',
    )
  })

  it('are a number where that is all', async () => {
    expect((await read('4111111111111111\n', 'text/plain')).texts).toEqual(['4111111111111111\n'])
  })

  it('are what the parts of a transcript say together, and neither words, tokens nor bytes tell what was replaced', async () => {
    const body = JSON.stringify({
      text: 'My card 4111 1111 ends',
      segments: [
        { id: 0, text: 'My card', tokens: [1] },
        { id: 1, text: ' 4111', tokens: [2] },
        { id: 2, text: ' 1111', tokens: [3], logprobs: [{ token: ' 1111', bytes: [52] }] },
        { id: 3, text: ' ends', tokens: [4] },
      ],
      words: [{ word: '4111', start: 0 }],
    })
    const text = 'My card 4111 1111 ends'
    expect((await read(body)).texts).toEqual([text])
    const written = JSON.parse(await changed(body, undefined, { [text]: 'My card [CARD] ends' }))
    expect(written.text).toBe('My card [CARD] ends')
    expect(written.segments.map((one: { text: string }) => one.text)).toEqual([
      'My card',
      ' [CARD]',
      '',
      ' ends',
    ])
    expect(JSON.stringify(written)).not.toMatch(/4111|1111|52|\[\d/)
    expect(written.words).toEqual([{ word: '', start: 0 }])
  })

  it('leave words and codes where values are put back', async () => {
    const body = '{"text":"[EMAIL_1]","words":[{"word":"[EMAIL_1]"},{"word":"hi"}],"tokens":[1]}'
    const { withTexts } = await read(body)
    const words = { word: (word: string) => word.replace('[EMAIL_1]', 'a@b.c'), emptiesCodes: false }
    expect(await withTexts(new Map([['[EMAIL_1]', 'a@b.c']]), words)).toBe(
      '{"text":"a@b.c","words":[{"word":"a@b.c"},{"word":"hi"}],"tokens":[1]}',
    )
  })

  it('are all members of a document that a client has sent in', async () => {
    const body =
      '{"id":"r","results":[{"index":0,"document":{"model":"a@b.c","word":"x"}},{"index":1,"document":"y"}]}'
    expect((await read(body)).texts).toEqual(['a@b.c', 'x', 'y'])
    expect(await changed(body, undefined, { 'a@b.c': '[EMAIL]' })).toBe(body.replace('a@b.c', '[EMAIL]'))
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
      {
        type: 'transcript.text.delta',
        delta: 'a@',
        logprobs: [{ token: 'a@', logprob: -1, bytes: [97, 64] }],
      },
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

  it('are the data themselves where events are no JSON, and what several lines of data say', async () => {
    const body = 'event: note\r\ndata: a@\r\n\r\ndata: b.c\r\n\r\n'
    expect((await read(body, EVENTS)).texts).toEqual(['a@b.c'])
    expect(await changed(body, EVENTS, { 'a@b.c': '[EMAIL]' })).toBe(
      'event: note\ndata: [EMAIL]\n\ndata: \n\n',
    )
    const long = 'data:  {"choices":[{"index":0,\ndata: "text":"a@b.c"}]}\n\n'
    expect((await read(long, EVENTS)).texts).toEqual(['a@b.c'])
    expect(await changed(long, EVENTS, { 'a@b.c': '[EMAIL]' })).toContain('"text":"[EMAIL]"')
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

describe('a text in the pieces of another one', () => {
  it('is the text, and leaves the pieces before and after what differs', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), fc.string(), fc.nat(), fc.nat(), (pieces, added, from, length) => {
        const before = pieces.join('')
        const start = before === '' ? 0 : from % before.length
        const text = before.slice(0, start) + added + before.slice(start + (length % 5))
        if (pieces.length === 0) return
        const found = divided(text, pieces)
        expect(found.join('')).toBe(text)
        expect(found).toHaveLength(pieces.length)
      }),
    )
    expect(divided('one [X] four', ['one', ' two', ' three', ' four'])).toEqual(['one', ' [X]', '', ' four'])
  })
})
