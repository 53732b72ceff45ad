import { describe, expect, it } from 'vitest'
import { announcement } from '../../app/(console)/chat/announcement.ts'
import {
  type Action,
  type Conversation,
  conversation,
  empty,
} from '../../app/(console)/chat/conversation/conversation.ts'
import type { ChatEvent, ToolRun } from '../../app/(console)/gateway/wire.ts'

const asked = (...actions: Action[]): Conversation =>
  actions.reduce(conversation, conversation(empty, { type: 'asked', question: 'Hi', model: undefined }))
const received = (...events: ChatEvent[]): Action => ({ type: 'received', events })
const delta = (text: string): ChatEvent => ({ type: 'delta', text })
const answerOf = ({ turns }: Conversation) => turns.at(-1)?.answer

describe('an answer whose connection is lost', () => {
  const lost = received(delta('Half an '), { type: 'lost' })

  it('keeps its text and says that it is being sought again', () => {
    expect(answerOf(asked(lost))).toMatchObject({ state: 'streaming', text: 'Half an ' })
    expect(announcement(asked(lost))).toBe('Connection lost. Reconnecting…')
  })

  it('goes on where it was, and says so only once', () => {
    const back = asked(lost, received({ type: 'back' }))
    const more = conversation(back, received(delta('answer')))
    expect(answerOf(more)).toMatchObject({ state: 'streaming', text: 'Half an answer' })
    expect([announcement(back), announcement(more)]).toEqual(Array(2).fill('Reconnected.'))
  })

  it('can be stopped meanwhile', () => {
    expect(answerOf(asked(lost, { type: 'stopped' }))).toEqual({ state: 'stopped', text: 'Half an ' })
  })
})

describe('an answer with tools of the gateway', () => {
  const run = (id: string, state: ToolRun['state'], more: object = {}): ChatEvent => ({
    type: 'tool',
    tool: { id, name: 'web_search', state, ...more },
  })
  const twoRunning = received(run('1', 'running'), run('2', 'running'))

  it('keeps each run once, in the order of the calls, with its latest state', () => {
    const answer = answerOf(
      asked(twoRunning, received(run('2', 'done', { source: 'Wikipedia' }), delta('So'))),
    )
    expect(answer).toMatchObject({
      state: 'streaming',
      text: 'So',
      tools: [
        { id: '1', state: 'running' },
        { id: '2', state: 'done', source: 'Wikipedia' },
      ],
    })
  })

  it('says which tools are running, and then that it has begun', () => {
    expect(announcement(asked(twoRunning))).toBe('Tool running: Web search, Web search.')
    const done = received(run('1', 'done'), run('2', 'failed'))
    expect(announcement(asked(twoRunning, done))).toBe('The answer has begun.')
  })

  it('keeps the ended ones where it is stopped or fails', () => {
    const one = received(run('1', 'running'), run('2', 'running'), run('1', 'done'))
    const error: ChatEvent = {
      type: 'error',
      failure: { code: 'NETWORK', message: 'Gone.', retryable: true },
    }
    for (const end of [{ type: 'stopped' } as const, received(error)])
      expect(answerOf(asked(one, end))).toMatchObject({ tools: [{ id: '1', state: 'done' }] })
  })
})

describe('an answer that was stopped', () => {
  const told: Action = { type: 'stopped-at', end: { text: 'Half an answer' } }

  it('is all that the gateway had of it', () => {
    const stopped = asked(received(delta('Half')), { type: 'stopped' }, told)
    expect(answerOf(stopped)).toEqual({ state: 'stopped', text: 'Half an answer' })
  })

  it('is left as it is where it was complete before', () => {
    const failure = { code: 'NETWORK', message: 'Gone.', retryable: true }
    const failed = asked(received(delta('Half'), { type: 'error', failure }), { type: 'stopped' }, told)
    expect(answerOf(failed)).toEqual({ state: 'failed', text: 'Half', failure })
  })
})

describe('an answer that is asked for again', () => {
  const failure = { code: 'PROVIDER_ERROR', message: 'Gone.', retryable: true }
  const stopped = { state: 'stopped', text: 'The first' }
  const again = (...actions: Action[]) =>
    answerOf(
      asked(
        received(delta('The first')),
        { type: 'stopped' },
        { type: 'asked-again', model: undefined },
        ...actions,
      ),
    )

  it('leaves the previous text beside the failure where it has none', () => {
    const failed = received({ type: 'error', failure })
    expect(again(failed)).toEqual({ state: 'failed', text: 'The first', failure })
  })

  it('leaves the previous answer where it is stopped before it has text', () => {
    expect(again({ type: 'stopped' })).toEqual(stopped)
  })

  it('leaves the previous answer where the gateway requires a wait', () => {
    expect(again({ type: 'wait-required', hold: { failure, until: 1 } })).toEqual(stopped)
  })

  it('takes its place once it has text', () => {
    const text = received(delta('The second'))
    expect(again(text, { type: 'stopped' })).toEqual({ state: 'stopped', text: 'The second' })
  })
})

describe('the position of a stream', () => {
  it('is kept with exactly the text before it, and ends with the answer', () => {
    const position = { streamId: 'chat_1', lastEventId: '2' }
    const streaming = asked({ type: 'received', events: [delta('Half')], position })
    expect(answerOf(streaming)).toEqual({ state: 'streaming', text: 'Half', position })
    expect(answerOf(conversation(streaming, received({ type: 'lost' })))).toMatchObject({ position })
    expect(answerOf(conversation(streaming, { type: 'stopped' }))).toEqual({ state: 'stopped', text: 'Half' })
  })
})
