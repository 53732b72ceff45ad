import { describe, expect, it } from 'vitest'
import { announcement } from '../../app/(console)/chat/announcement.ts'
import {
  type Action,
  type Conversation,
  conversation,
  empty,
} from '../../app/(console)/chat/conversation/conversation.ts'
import type { ChatEvent } from '../../app/(console)/gateway/wire.ts'

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
