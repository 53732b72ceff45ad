import { describe, expect, it } from 'vitest'
import { outputLimits } from '#lib/llm/providers/anthropic/limits.ts'
import { claudeModel } from '#lib/llm/providers/anthropic/models.ts'
import { answerSchema } from '#lib/llm/providers/anthropic/schema.ts'
import type { Call, ModelParameters } from '#lib/llm/types.ts'
import { ANTHROPIC_MESSAGE, anthropicExchange } from '../../support/anthropic-exchange.ts'
import { newCall } from '../../support/calls.ts'

const NEWEST = ['claude-opus-5-5', 'claude-sonnet-5-5', 'claude-fable-5-1', 'claude-next-9']
const SCHEMA = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
const CLOSED = { ...SCHEMA, additionalProperties: false }
const FORMAT = { type: 'json-schema', name: 'place', schema: SCHEMA } as const
const WEATHER = { name: 'weather' }
const OTHER = { name: 'other' }

/** What a model is sent for a call, with the names and the warnings of what is left out. */
const askedOf = async (model: string, parameters: ModelParameters, changes: Partial<Call> = {}) => {
  const { sent, head } = await anthropicExchange({ parameters, ...changes }, ANTHROPIC_MESSAGE, model)
  return { sent, omitted: head.omitted ?? [], warnings: head.warnings ?? [] }
}

describe('the names of Claude’s models', () => {
  it.each([
    ['claude-opus-4-5-20251101', 'claude-opus-4-5'],
    ['claude-sonnet-4-20250514', 'claude-sonnet-4'],
    ['anthropic/claude-opus-5', 'claude-opus-5'],
    ['us.anthropic.claude-sonnet-4-6', 'claude-sonnet-4-6'],
    ['claude-sonnet-4@20250514', 'claude-sonnet-4-0'],
    ['claude-3-haiku-20240307', 'claude-3-opus'],
    ['claude-2.1', 'claude-instant-1.2'],
    ['anthropic/claude-opus-4.8', 'claude-opus-4-8'],
    ['claude-3.5-sonnet', 'claude-3-5-sonnet-20241022'],
  ])('%s takes what %s takes', (name, same) => {
    expect(claudeModel(name)).toEqual(claudeModel(same))
  })

  it('of an unknown version count as the newest family, any other name as the oldest that think', () => {
    const { mostOutputTokens: _, ...newest } = claudeModel('claude-opus-5-5')
    for (const name of ['claude-opus-6', 'claude-opus-5-9']) expect(claudeModel(name)).toEqual(newest)
    for (const name of ['MiniMax-M2', 'claude-new'])
      expect(claudeModel(name)).toMatchObject({ thinking: 'budget', hasSchemas: false, takesSampling: true })
  })
})

describe('an answer of a schema', () => {
  it.each([...NEWEST, 'claude-sonnet-4-5', 'claude-opus-4-1', 'claude-sonnet-4-6'])(
    'is asked of %s as such, beside tools too',
    async model => {
      const alone = await askedOf(model, { responseFormat: FORMAT })
      expect(alone.sent).toMatchObject({ output_config: { format: { type: 'json_schema', schema: CLOSED } } })
      expect(alone.sent).not.toHaveProperty('tool_choice')
      const beside = await askedOf(model, { responseFormat: FORMAT, tools: [WEATHER] })
      expect(beside.sent).toMatchObject({ tools: [WEATHER], output_config: { format: { schema: CLOSED } } })
      expect([...alone.omitted, ...beside.omitted]).toEqual([])
    },
  )

  it('is asked of an older model by a tool', async () => {
    const { sent } = await askedOf('claude-sonnet-4-0', { responseFormat: FORMAT })
    expect(sent).toMatchObject({ tool_choice: { type: 'tool', name: 'place' } })
    expect(sent).not.toHaveProperty('output_config')
  })

  it('is asked by a tool where its schema cannot be expressed, or named where that is not possible', async () => {
    const responseFormat = { ...FORMAT, schema: { type: 'object' } }
    expect((await askedOf('claude-sonnet-4-5', { responseFormat })).sent).toHaveProperty('tool_choice')
    const { sent, omitted } = await askedOf('claude-opus-5-5', { responseFormat })
    expect(omitted).toEqual(['response_format'])
    expect(sent).not.toHaveProperty('tool_choice')
    expect(sent).not.toHaveProperty('output_config')
  })

  it.each(['#/$defs/Nowhere', 'https://example.com/schema', 'Node'])(
    'is asked by a tool where it refers to what it does not have: %s',
    async $ref => {
      const responseFormat = { ...FORMAT, schema: { ...SCHEMA, properties: { city: { $ref } } } }
      const { sent } = await askedOf('claude-sonnet-4-5', { responseFormat })
      expect(sent).toHaveProperty('tool_choice')
      expect(sent).not.toHaveProperty('output_config')
    },
  )

  it('counts the optional members of a definition once, however often it is referred to', () => {
    const place = {
      type: 'object',
      properties: Object.fromEntries('abcdef'.split('').map(name => [name, {}])),
    }
    const properties = { from: { $ref: '#/$defs/place' }, to: { $ref: '#/$defs/place' } }
    expect(
      answerSchema({ type: 'object', properties, required: ['from', 'to'], $defs: { place } }),
    ).toBeDefined()
  })

  it('has closed objects, and limits of its values in words', () => {
    const schema = {
      type: 'object',
      properties: {
        age: { type: 'integer', minimum: 0, description: 'In years.' },
        day: { type: 'string', format: 'date' },
        colour: { type: 'string', format: 'colour' },
        one: { oneOf: [{ type: 'string' }, { type: 'null' }] },
        list: { type: 'array', items: { $ref: '#/$defs/place' }, maxItems: 3 },
      },
      required: ['age', 'day', 'colour', 'one', 'list'],
      $defs: { place: SCHEMA },
    }
    expect(answerSchema(schema)).toEqual({
      type: 'object',
      properties: {
        age: { type: 'integer', description: 'In years.\nminimum: 0' },
        day: { type: 'string', format: 'date' },
        colour: { type: 'string', description: 'format: colour' },
        one: { anyOf: [{ type: 'string' }, { type: 'null' }] },
        list: { type: 'array', items: { $ref: '#/$defs/place' }, description: 'maxItems: 3' },
      },
      required: ['age', 'day', 'colour', 'one', 'list'],
      additionalProperties: false,
      $defs: { place: CLOSED },
    })
  })

  const many = Object.fromEntries(Array.from({ length: 11 }, (_, at) => [`m${at}`, { type: 'string' }]))
  const nested = Array.from({ length: 60 }).reduce<object>(items => ({ type: 'array', items }), {})
  it.each<[string, object]>([
    ['an object of any members', { type: 'object', additionalProperties: { type: 'string' } }],
    ['a list of such objects', { type: 'array', items: { type: ['object', 'null'] } }],
    ['a reference to itself', { properties: { next: { $ref: '#' } }, type: 'object' }],
    [
      'a definition that refers to itself',
      { $ref: '#/$defs/a', $defs: { a: { items: { $ref: '#/$defs/a' } } } },
    ],
    ['many members that may be absent', { type: 'object', properties: many }],
    ['deep nesting', nested],
    ['a reference that is none', { $ref: '#/%' }],
  ])('cannot be expressed with %s', (_, schema) => {
    expect(answerSchema(schema)).toBeUndefined()
  })
})

describe('a choice that forces a tool', () => {
  it.each(NEWEST)('is left to %s, which sees the chosen tools alone, and named', async model => {
    const tools = [WEATHER, OTHER]
    const named = await askedOf(model, { tools, toolChoice: { type: 'tool', name: 'weather' } })
    expect(named.sent).toMatchObject({ tools: [WEATHER], tool_choice: { type: 'auto' } })
    const required = await askedOf(model, { tools, toolChoice: { type: 'required' } })
    expect(required.sent).toMatchObject({ tools, tool_choice: { type: 'auto' } })
    const some = { type: 'allowed', mode: 'required', names: ['other'] } as const
    const allowed = await askedOf(model, { tools, toolChoice: some })
    expect(allowed.sent).toMatchObject({ tools: [OTHER], tool_choice: { type: 'auto' } })
    for (const { omitted } of [named, required, allowed]) expect(omitted).toEqual(['tool_choice'])
    const free = await askedOf(model, { tools, toolChoice: { ...some, mode: 'auto' } })
    expect(free.omitted).toEqual([])
  })

  it('allows no thinking, which is named', async () => {
    const parameters = {
      tools: [WEATHER],
      toolChoice: { type: 'required' },
      reasoningEffort: 'high',
    } as const
    for (const model of ['claude-sonnet-4-5', 'claude-sonnet-4-6', 'claude-opus-5']) {
      const { sent, omitted } = await askedOf(model, parameters)
      expect(sent).toMatchObject({ tool_choice: { type: 'any' } })
      expect(sent).not.toHaveProperty('thinking')
      expect(omitted).toEqual(['reasoning_effort'])
    }
  })

  it('that a model does not take leaves it its thinking', async () => {
    const parameters = {
      tools: [WEATHER],
      toolChoice: { type: 'required' },
      reasoningEffort: 'high',
    } as const
    const { sent, omitted } = await askedOf('claude-opus-5-5', parameters)
    expect(sent).toMatchObject({ thinking: { type: 'adaptive' } })
    expect(omitted).toEqual(['tool_choice'])
  })
})

describe('an effort of reasoning', () => {
  it.each<[string, string, object | undefined, string | undefined]>([
    ['claude-sonnet-4-5', 'high', { type: 'enabled', budget_tokens: 16_384 }, undefined],
    ['claude-sonnet-4-6', 'high', { type: 'adaptive' }, 'high'],
    ['claude-sonnet-4-6', 'xhigh', { type: 'adaptive' }, 'high'],
    ['claude-opus-4-7', 'xhigh', { type: 'adaptive' }, 'xhigh'],
    ['claude-opus-5-5', 'low', { type: 'adaptive' }, 'low'],
    ['claude-next-9', 'max', { type: 'adaptive' }, 'max'],
    ['claude-sonnet-4-5', 'none', undefined, undefined],
    ['claude-opus-4-8', 'none', undefined, undefined],
    ['claude-opus-5', 'none', { type: 'disabled' }, undefined],
    ['claude-haiku-5-5', 'minimal', { type: 'disabled' }, undefined],
    ['claude-fable-5', 'none', undefined, 'low'],
    ['claude-opus-5-5', 'none', undefined, 'low'],
  ])('is for %s, %s, in the form that it takes', async (model, reasoningEffort, thinking, effort) => {
    const { sent, omitted } = await askedOf(model, { reasoningEffort })
    const { thinking: asked, output_config: config } = sent as Record<string, object | undefined>
    if (thinking) expect(asked).toMatchObject(thinking)
    else expect(asked).toBeUndefined()
    expect(config).toEqual(effort === undefined ? undefined : { effort })
    expect(omitted).toEqual([])
  })

  it('of none is not quite what a model does that always thinks: it says so', async () => {
    const { warnings } = await askedOf('claude-opus-5-5', { reasoningEffort: 'none' })
    expect(warnings).toEqual([expect.stringContaining('always thinks')])
  })

  it('is named where the model does not think', async () => {
    const { sent, omitted } = await askedOf('claude-3-haiku-20240307', { reasoningEffort: 'high' })
    expect(sent).not.toHaveProperty('thinking')
    expect(omitted).toEqual(['reasoning_effort'])
  })

  it('stands for a number of tokens, with a word', async () => {
    const { sent, warnings } = await askedOf('claude-opus-5-5', { reasoningTokens: 4_000 })
    expect(sent).toMatchObject({ max_tokens: 5_000, output_config: { effort: 'medium' } })
    expect(warnings).toEqual([expect.stringContaining('effort medium')])
  })

  it('needs no earlier reasoning, which a number of tokens does', async () => {
    const call = { id: 'a', name: 'weather', arguments: '{}' }
    const messages: Call['messages'] = [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: '', toolCalls: [call] },
      { role: 'tool', toolCallId: 'a', content: '7' },
    ]
    const parameters = { reasoningEffort: 'high' }
    const adaptive = await askedOf('claude-opus-5-5', parameters, { messages })
    expect(adaptive.sent).toMatchObject({ thinking: { type: 'adaptive' } })
    expect((await askedOf('claude-sonnet-4-5', parameters, { messages })).omitted).toEqual([
      'reasoning_effort',
    ])
  })
})

describe('sampling parameters', () => {
  const sampling = { temperature: 0.3, parameters: { topP: 0.5, topK: 5 } }
  const sampledBy = async (model: string, changes: Partial<Call> = sampling) => {
    const { sent, omitted } = await askedOf(model, {}, changes)
    const names = ['temperature', 'top_p', 'top_k'].filter(name => name in (sent as object))
    return { names, omitted: [...omitted].sort() }
  }

  it.each(['claude-opus-4-7', 'claude-sonnet-5', ...NEWEST])(
    'are left out and named where %s refuses them',
    async model => {
      expect(await sampledBy(model)).toEqual({ names: [], omitted: ['temperature', 'top_k', 'top_p'] })
    },
  )

  it('are one of temperature and top_p from 4.1 on, both before', async () => {
    for (const model of ['claude-opus-4-1', 'claude-sonnet-4-5', 'claude-opus-4-6'])
      expect(await sampledBy(model)).toEqual({ names: ['temperature', 'top_k'], omitted: ['top_p'] })
    for (const model of ['claude-sonnet-4-0', 'MiniMax-M2'])
      expect(await sampledBy(model)).toEqual({ names: ['temperature', 'top_p', 'top_k'], omitted: [] })
  })

  it('are top_p alone where the temperature is the usual one', async () => {
    const changes = { temperature: 1, parameters: { topP: 0.5 } }
    expect(await sampledBy('claude-sonnet-4-5', changes)).toEqual({ names: ['top_p'], omitted: [] })
  })

  it('are left out and named beside thinking', async () => {
    const parameters = { ...sampling.parameters, reasoningEffort: 'low' }
    expect(await sampledBy('claude-sonnet-4-5', { ...sampling, parameters })).toEqual({
      names: [],
      omitted: ['temperature', 'top_k', 'top_p'],
    })
  })
})

describe('the limit of output tokens', () => {
  it.each<[string, Partial<Call>, number]>([
    ['claude-sonnet-4-5', {}, 16_384],
    ['claude-opus-5-5', {}, 32_768],
    ['claude-next-9', {}, 32_768],
    ['claude-opus-5', { parameters: { reasoningEffort: 'none' } }, 16_384],
    ['claude-opus-5', { parameters: { reasoningEffort: 'medium' } }, 16_384 + 4_096],
    ['claude-3-haiku-20240307', {}, 4_096],
    ['MiniMax-M2', {}, 4_096],
    ['claude-opus-4-0', { parameters: { reasoningEffort: 'max' } }, 32_000],
    ['claude-opus-5-5', { maxOutputTokens: 500 }, 500],
    ['claude-sonnet-4-5', { maxOutputTokens: 60_000, parameters: { reasoningEffort: 'high' } }, 64_000],
    ['claude-opus-4-1', { maxOutputTokens: 100_000 }, 32_000],
    ['claude-next-9', { maxOutputTokens: 500_000 }, 500_000],
  ])('of %s for %o is %i, and that is reserved', async (model, changes, limit) => {
    const call = { maxOutputTokens: undefined, ...changes }
    const { sent } = await anthropicExchange(call, ANTHROPIC_MESSAGE, model)
    expect(sent).toMatchObject({ max_tokens: limit })
    const reserved = outputLimits(newCall(call), { provider: 'anthropic', model, name: model })
    expect((reserved?.answer ?? 0) + (reserved?.reasoning ?? 0)).toBe(limit)
  })

  it('leaves a budget of thinking below it', async () => {
    const call = { maxOutputTokens: 1, parameters: { reasoningTokens: 90_000 } }
    const { sent } = await anthropicExchange(call, ANTHROPIC_MESSAGE, 'claude-opus-4-1')
    expect(sent).toMatchObject({ max_tokens: 30_977, thinking: { budget_tokens: 30_976 } })
  })

  it('of a client says so where it is above the model’s most', async () => {
    const { warnings } = await askedOf('claude-opus-4-1', {}, { maxOutputTokens: 100_000 })
    expect(warnings).toEqual([expect.stringContaining('32000')])
  })
})

describe('the usage of Claude', () => {
  const usage = { input_tokens: 5, output_tokens: 9, output_tokens_details: { thinking_tokens: 4 } }
  it('has its tokens of thinking, whole and streamed', async () => {
    const whole = await anthropicExchange({}, { ...ANTHROPIC_MESSAGE, usage })
    expect(whole.usage).toMatchObject({ outputTokens: 9, reasoningTokens: 4 })
    const events = [
      { type: 'message_start', message: { usage: { ...usage, output_tokens: 1 } } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'ok' } },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage },
      { type: 'message_stop' },
    ]
    const text = events.map(event => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('')
    expect((await anthropicExchange({}, text)).usage).toMatchObject({ outputTokens: 9, reasoningTokens: 4 })
  })
})
