import { describe, expect, it } from 'vitest'
import { GatewayError } from '#lib/errors.ts'
import { AnswerGuard, AnswerObserver } from '#lib/guardrails/output/answer-guard.ts'
import { profileOf } from '#lib/guardrails/profile.ts'
import type { Action } from '#lib/guardrails/types.ts'
import type { EventGroup, ReplyEvent } from '#lib/llm/types.ts'
import { seededRandom } from '../../support/seeded-random.ts'

const CARD = '4111 1111 1111 1111'
const EMAIL = 'ann@example.org'
/** 100,000 with SOAK=1. */
const ROUNDS = process.env.SOAK ? 100_000 : 2_000
const FINISH: ReplyEvent = { type: 'finish', reason: 'stop' }

const guardWith = (action: Action) => {
  const { output } = profileOf({ sensitiveData: { input: 'ignore', output: action } })
  return new AnswerGuard(output, {
    actionOn: verdict => output.actionOn(verdict),
    blocked: ({ rail }) => new GatewayError('CONTENT_BLOCKED', rail),
    warnings: () => [],
  })
}

/** What leaves, text by text. */
const said = (events: EventGroup) => {
  const texts = { answer: '', reasoning: '', refusal: '', arguments: '' }
  for (const event of events) {
    if (event.type === 'text-delta') texts.answer += event.text
    else if (event.type === 'reasoning-delta') texts.reasoning += event.text
    else if (event.type === 'refusal-delta') texts.refusal += event.text
    else if (event.type === 'tool-call-delta') texts.arguments += event.arguments
  }
  return texts
}

const run = (guard: AnswerGuard, events: EventGroup): EventGroup => {
  const left: ReplyEvent[] = []
  for (const event of events) {
    const { events: passed, ends } = guard.take([event])
    left.push(...passed)
    if (ends) break
  }
  return left
}

const delta = (type: 'text-delta' | 'refusal-delta', text: string): ReplyEvent => ({ type, text })
const fragment = (text: string, first: boolean): ReplyEvent => ({
  type: 'tool-call-delta',
  index: 0,
  ...(first && { id: 'call_1', name: 'send' }),
  arguments: text,
})

/** A text cut at random places, which may be inside a surrogate pair. */
const cut = (text: string, random: () => number): string[] => {
  const pieces: string[] = []
  for (let start = 0; start < text.length; ) {
    const end = start + 1 + Math.floor(random() * 9)
    pieces.push(text.slice(start, end))
    start = end
  }
  return pieces
}

describe('an answer that is guarded while it streams', () => {
  it('says in random cuts of content, refusal and arguments, mixed with each other, what the whole texts say', () => {
    const random = seededRandom(11)
    const answer = `Write to ${EMAIL} 🙂, card ${CARD}. ${EMAIL}`
    const refusal = `No: ${CARD}🔒`
    const json = JSON.stringify({ to: EMAIL, card: CARD })
    const expected = {
      answer: 'Write to [EMAIL] 🙂, card [CARD]. [EMAIL]',
      reasoning: '',
      refusal: 'No: [CARD]🔒',
      arguments: JSON.stringify({ to: '[EMAIL]', card: '[CARD]' }),
    }
    for (let round = 0; round < ROUNDS; round += 1) {
      const sources = [
        cut(answer, random).map(text => delta('text-delta', text)),
        cut(refusal, random).map(text => delta('refusal-delta', text)),
        cut(json, random).map((text, index) => fragment(text, index === 0)),
      ]
      const events: ReplyEvent[] = []
      while (sources.some(source => source.length > 0)) {
        const next = sources[Math.floor(random() * sources.length)]?.shift()
        if (next) events.push(next)
      }
      const left = run(guardWith('redact'), [...events, FINISH])
      expect(said(left)).toEqual(expected)
      expect(left.at(-1)).toEqual(FINISH)
      expect(left.filter(event => event.type === 'tool-call-delta' && event.id !== undefined)).toHaveLength(1)
    }
  })

  it('leaves the arguments of a tool JSON where a number is redacted, wherever they are cut', () => {
    const json = '{"n":4111111111111111,"s":"\\"4111111111111111","l":[-4111111111111111, 4111111111111111]}'
    const random = seededRandom(12)
    for (let round = 0; round < 200; round += 1) {
      const events = cut(json, random).map((text, index) => fragment(text, index === 0))
      const { arguments: written } = said(run(guardWith('redact'), [...events, FINISH]))
      expect(JSON.parse(written)).toEqual({ n: '[CARD]', s: '"[CARD]', l: [-0, '[CARD]'] })
    }
  })

  it.each(['id', 'name'])('looks at the %s of a tool call too', member => {
    const call: ReplyEvent = { type: 'tool-call-delta', index: 0, id: 'call_1', name: 'send', arguments: '{' }
    const odd: ReplyEvent = { ...call, [member]: `x ${EMAIL}` }
    const answer = delta('text-delta', 'I call it. ')
    expect(run(guardWith('redact'), [call, FINISH])[0]).toEqual(call)
    expect(run(guardWith('redact'), [odd, FINISH])[0]).toEqual({ ...call, [member]: 'x [EMAIL]' })
    const left = run(guardWith('block'), [answer, odd, FINISH])
    expect(left.map(({ type }) => type)).toEqual(['text-delta', 'error'])
    const seen: string[] = []
    const { output } = profileOf({ sensitiveData: { input: 'ignore', output: 'flag' } })
    new AnswerObserver(output, ({ rule }, place) => seen.push(`${rule} ${place}`)).take([odd, FINISH])
    expect(seen).toEqual(['email tool-arguments'])
  })

  it('keeps the order in which texts begin', () => {
    const left = run(guardWith('redact'), [delta('text-delta', 'I call it'), fragment('{}', true), FINISH])
    expect(left.map(({ type }) => type)).toEqual(['text-delta', 'text-delta', 'tool-call-delta', 'finish'])
    expect(said(left).answer).toBe('I call it')
  })

  it('lets reasoning go once the answer begins, and completes no match with it', () => {
    const guard = guardWith('redact')
    const before = guard.take([{ type: 'reasoning-delta', text: 'The card is 4111 1111' }])
    const answer = guard.take([delta('text-delta', 'Well, yes. ')])
    expect(said([...before.events, ...answer.events])).toMatchObject({
      reasoning: 'The card is 4111 1111',
      answer: 'Well, yes. ',
    })
    const rest = guard.take([{ type: 'reasoning-delta', text: ' 1111 1111, right' }, FINISH])
    expect(said(rest.events).reasoning).toBe('[CARD], right')
  })

  it.each([
    ['a card', CARD, '[CARD]'],
    ['an address', EMAIL, '[EMAIL]'],
    ['a key that goes on', '-----BEGIN PRIVATE KEY-----\nMIIEabcdefghijklmnop', '[PRIVATE_KEY]'],
  ])(
    'redacts %s at the very end of reasoning, before an answer, a call, a refusal and a signature',
    (_, secret, placeholder) => {
      const reasoning: ReplyEvent = { type: 'reasoning-delta', text: `It is ${secret}` }
      const signed: ReplyEvent = { type: 'reasoning-delta', text: '', signature: 'sig' }
      for (const next of [
        delta('text-delta', 'hello'),
        fragment('{}', true),
        delta('refusal-delta', 'no'),
        signed,
      ]) {
        const guard = guardWith('redact')
        const { events } = guard.take([reasoning, next])
        expect(said(events).reasoning).toBe(`It is ${placeholder}`)
        expect(JSON.stringify(events)).not.toContain('sig"')
        const rest = guard.take([{ type: 'reasoning-delta', text: ', is it not?' }, FINISH])
        expect(said(rest.events).reasoning).not.toContain(secret)
      }
    },
  )

  it('blocks at the very end of reasoning before anything else leaves', () => {
    const left = run(guardWith('block'), [
      { type: 'reasoning-delta', text: `The card is ${CARD}` },
      delta('text-delta', 'hello'),
      FINISH,
    ])
    expect(said(left)).toMatchObject({ reasoning: 'The card is ', answer: '' })
    expect(left.at(-1)).toMatchObject({ type: 'error', error: { code: 'CONTENT_BLOCKED' } })
  })

  it('replaces what goes on after reasoning was let go, and reports it once where it does not', () => {
    const found: string[] = []
    const { output } = profileOf({ sensitiveData: { input: 'ignore', output: 'redact' } })
    const guard = new AnswerGuard(output, {
      actionOn: verdict => {
        found.push(verdict.rule)
        return 'redact'
      },
      blocked: ({ rail }) => new GatewayError('CONTENT_BLOCKED', rail),
      warnings: () => [],
    })
    const key = '-----BEGIN PRIVATE KEY-----\nMIIEabcdefghijklmnop'
    const answer = delta('text-delta', 'so')
    const think = (text: string): ReplyEvent => ({ type: 'reasoning-delta', text })
    const left = run(guard, [
      think(CARD),
      answer,
      think(' is it. '),
      answer,
      think(key),
      answer,
      think('qrstuvwxyz\n'),
      FINISH,
    ])
    expect(said(left).reasoning).toBe('[CARD] is it. [PRIVATE_KEY][PRIVATE_KEY]')
    expect(found).toEqual(['card-visa', 'private-key-pem', 'private-key-pem'])
  })

  it('lets no answer wait for reasoning that ends within an escape or a pair', () => {
    for (const end of ['\\', '\\u00', '\ud83d']) {
      const { events } = guardWith('redact').take([
        { type: 'reasoning-delta', text: `so${end}` },
        delta('text-delta', 'hello '),
      ])
      expect(said(events)).toMatchObject({ reasoning: `so${end}`, answer: 'hello ' })
    }
  })

  it('keeps the signature of reasoning that it does not change, and no other', () => {
    const signed = (text: string): ReplyEvent => ({ type: 'reasoning-delta', text, signature: 'sig' })
    expect(run(guardWith('redact'), [signed('I think so'), FINISH])[0]).toEqual(signed('I think so'))
    const [first] = run(guardWith('redact'), [signed(`Mail ${EMAIL} now`), FINISH])
    expect(first).toEqual({ type: 'reasoning-delta', text: 'Mail [EMAIL] now' })
  })

  it('passes reasoning on that only its vendor can read', () => {
    const thought: ReplyEvent = { type: 'reasoning-delta', text: 'Hm.' }
    const redacted: ReplyEvent = { type: 'reasoning-delta', text: '', redacted: 'AAAA' }
    expect(run(guardWith('redact'), [thought, redacted, FINISH])).toEqual([thought, redacted, FINISH])
  })

  it('ends where it is blocked: what came before has left, the match and all after it never do', () => {
    const left = run(guardWith('block'), [
      delta('text-delta', 'Sure. The card is 4111 11'),
      delta('text-delta', '11 1111 1111, and more'),
      FINISH,
    ])
    expect(said(left).answer).toBe('Sure. The card is ')
    expect(left.at(-1)).toMatchObject({ type: 'error', error: { code: 'CONTENT_BLOCKED' } })
  })

  it('passes no message of the upstream on as it came, and says so where that loses a part', () => {
    const left = run(guardWith('redact'), [
      { type: 'wire', format: 'openai-chat', json: `{"text":"${EMAIL}"}`, isContent: true },
      delta('text-delta', `${EMAIL} it is`),
      FINISH,
    ])
    expect(JSON.stringify(left)).not.toContain(EMAIL)
    expect(left.at(-1)).toMatchObject({ warnings: [expect.stringContaining('left out')] })
  })
})
