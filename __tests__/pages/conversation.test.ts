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
    expect([announcement(back), announcement(more)]).toEqual(Array(2).fill('The connection is back.'))
  })

  it('can be stopped meanwhile', () => {
    expect(answerOf(asked(lost, { type: 'stopped' }))).toEqual({ state: 'stopped', text: 'Half an ' })
  })
})

describe('an answer that was stopped', () => {
  const told: Action = { type: 'stopped-at', text: 'Half an answer' }

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
