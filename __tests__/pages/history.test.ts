import { describe, expect, it } from 'vitest'
import { firstFitting, MAX_MESSAGES, toMessages } from '../../app/(console)/chat/conversation/history.ts'
import type { Answer, Turn } from '../../app/(console)/chat/conversation/turn.ts'

const failure = { code: 'CONTENT_BLOCKED', message: 'No.', retryable: false }
const turn = (id: number, question: string, answer: Answer): Turn => ({ id, question, answer, model: 'mock' })
const answered = (id: number, length = 1) =>
  turn(id, `q${id}`, { state: 'stopped', text: 'a'.repeat(length) })

describe('what of a conversation is sent', () => {
  it('is every answered question with its answer, then the new question', () => {
    expect(toMessages([answered(1)], 'next')).toEqual([
      { role: 'user', content: 'q1' },
      { role: 'assistant', content: 'a' },
      { role: 'user', content: 'next' },
    ])
  })

  it('leaves out questions that got no answer', () => {
    const refused = turn(1, 'blocked', { state: 'failed', text: '', failure })
    expect(toMessages([refused], 'next')).toEqual([{ role: 'user', content: 'next' }])
  })

  it('keeps part of an answer', () => {
    const cut = turn(1, 'q', { state: 'failed', text: 'half', failure })
    expect(toMessages([cut], 'next')).toHaveLength(3)
  })

  it('never has more messages than the gateway takes, and begins with a question', () => {
    const turns = Array.from({ length: 40 }, (_, index) => answered(index + 1))
    const messages = toMessages(turns, 'next')
    expect(messages.length).toBeLessThanOrEqual(MAX_MESSAGES)
    expect(messages[0]).toEqual({ role: 'user', content: 'q17' })
  })

  it('drops the oldest first where the characters do not fit', () => {
    expect(firstFitting([answered(1, 20_000), answered(2, 20_000), answered(3, 20_000)], 'next')).toBe(1)
  })
})
