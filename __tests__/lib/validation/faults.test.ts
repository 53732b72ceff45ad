import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { budgetBody } from '#lib/validation/budgets.ts'
import { uiChatBody } from '#lib/validation/chat.ts'
import { evaluateBody } from '#lib/validation/evaluation.ts'
import { parseDatasetLines } from '#lib/validation/evaluation-runs.ts'
import { kvQuery } from '#lib/validation/kv.ts'
import { openAiChatBody } from '#lib/validation/openai-chat.ts'
import { invalidInput, parseOrThrow } from '#lib/validation/zod.ts'

const ASKED = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] }

describe('a refusal of what was sent', () => {
  it('ends in one full stop, also where a fault has one of its own', () => {
    const error = invalidInput([
      { path: 'a', message: 'is odd.' },
      { path: 'b', message: 'is required' },
      { path: 'c', message: 'is odd.' },
    ])
    expect(error.message).toBe('a is odd; b is required; c is odd.')
  })

  const many = Array.from({ length: 300_000 }, () => 1)
  const limits = { maxPromptCharacters: 9, maxMessages: 9, maxMessagesCharacters: 9, maxOutputTokens: 9 }
  it.each<[z.ZodType, object, string]>([
    [openAiChatBody, { ...ASKED, stop: many }, 'stop must hold at most 4,096 texts.'],
    [openAiChatBody, { ...ASKED, tools: many }, 'tools must hold at most 4,096 tools.'],
    [
      openAiChatBody,
      { model: 'm', messages: [{ role: 'assistant', tool_calls: many }] },
      'messages[0].tool_calls must hold at most 4,096 calls.',
    ],
    [
      uiChatBody(limits),
      { messages: [{ role: 'user', parts: many }] },
      'messages[0].parts must hold at most 10,000 parts.',
    ],
    [evaluateBody, { input: 'a', answer: 'b', graders: many }, 'graders must hold at most 20 graders.'],
  ])('is one fault where a list has more elements than it may: %#', (schema, body, message) => {
    expect(() => parseOrThrow(schema, body)).toThrow(message)
  })

  it('names the lines of a data set, of which a long one is read in turns', async () => {
    const lines = `\n{"input":"a"}\n\n${'['.repeat(200_000)}\n{`
    await expect(parseDatasetLines(lines, 'a')).rejects.toThrow(
      'line 4 is nested deeper than 64 levels; line 5 is not valid JSON',
    )
  })

  const limited = z.strictObject({
    count: z.int().min(1, 'must be from 1 to 9').max(9, 'must be from 1 to 9'),
  })
  const plain = z.strictObject({
    whole: z.int().optional(),
    number: z.number().max(2).optional(),
    text: z.string().min(2).optional(),
    list: z.array(z.string()).max(1).optional(),
  })
  it.each<[z.ZodType, unknown, string]>([
    [budgetBody, { day: -1 }, 'day must not be negative.'],
    [budgetBody, { budgetUsd: { month: 1e9 } }, 'budgetUsd.month must be at most 9000000.'],
    [kvQuery, { limit: '100000' }, 'limit must be from 1 to 1000.'],
    [kvQuery, { limit: '9'.repeat(400) }, 'limit must be from 1 to 1000.'],
    [kvQuery, { limit: '1.5' }, 'limit must be a whole number.'],
    [limited, { count: 9e22 }, 'count must be from 1 to 9.'],
    [limited, { count: -9e22 }, 'count must be from 1 to 9.'],
    [limited, { count: 1.5 }, 'count must be a whole number.'],
    [plain, { whole: 9e22 }, 'whole must be at most 9007199254740991.'],
    [plain, { number: Number.POSITIVE_INFINITY }, 'number must be a finite number.'],
    [plain, { number: 3 }, 'number must be at most 2.'],
    [plain, { number: '3' }, 'number must be a number, is string.'],
    [plain, { text: 'a' }, 'text must have at least 2 characters.'],
    [plain, { list: ['a', 'b'] }, 'list must hold at most 1 entries.'],
    [plain, { '': 1 }, '"" is not a field of this request.'],
  ])('says what to do, in words of its own: %#', (schema, value, message) => {
    expect(() => parseOrThrow(schema, value)).toThrow(expect.objectContaining({ message }))
  })
})
