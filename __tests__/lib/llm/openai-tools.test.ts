import { describe, expect, it } from 'vitest'
import { compatible } from '#lib/llm/providers/openai-compatible.ts'
import { chatRequest, chatWarnings } from '#lib/llm/providers/shared/chat-request.ts'
import type { Call } from '#lib/llm/types.ts'
import { collect, newAttempt, newCall, TARGET } from '../../support/calls.ts'
import { providerDeps } from '../../support/provider-deps.ts'
import { answering } from '../../support/wire-fixtures.ts'

const requestFor = (parameters: Call['parameters']) =>
  chatRequest(newCall({ parameters }), TARGET, { provider: 'fake' }, new Set()) as Readonly<{
    tools: readonly Readonly<{ function: Readonly<{ parameters?: unknown }> }>[]
    tool_choice: unknown
  }>

describe('tools in OpenAI’s form', () => {
  it.each([
    [{ type: 'object' }, { type: 'object', properties: {} }],
    [
      { type: 'object', properties: null, additionalProperties: false },
      { type: 'object', properties: {}, additionalProperties: false },
    ],
    [
      { type: 'object', properties: { a: {} } },
      { type: 'object', properties: { a: {} } },
    ],
    [{ $ref: '#/$defs/a' }, { $ref: '#/$defs/a' }],
    [undefined, undefined],
  ])('have properties in the schema of an object, even if none: %j', (parameters, expected) => {
    expect(requestFor({ tools: [{ name: 'now', parameters }] }).tools[0]?.function.parameters).toEqual(
      expected,
    )
  })

  it('are chosen as what they are: a function or a custom tool', () => {
    const tools = [{ name: 'look' }, { name: 'write', custom: {} }]
    expect(requestFor({ tools, toolChoice: { type: 'tool', name: 'write' } }).tool_choice).toEqual({
      type: 'custom',
      custom: { name: 'write' },
    })
    expect(requestFor({ tools, toolChoice: { type: 'tool', name: 'look' } }).tool_choice).toEqual({
      type: 'function',
      function: { name: 'look' },
    })
    const names = ['look', 'write']
    expect(requestFor({ tools, toolChoice: { type: 'allowed', mode: 'auto', names } }).tool_choice).toEqual({
      type: 'allowed_tools',
      allowed_tools: {
        mode: 'auto',
        tools: [
          { type: 'function', function: { name: 'look' } },
          { type: 'custom', custom: { name: 'write' } },
        ],
      },
    })
  })

  it('are not chosen where the chosen one belongs to another format', () => {
    const tools = [{ name: 'look' }, { name: 'web_search', definedBy: 'web_search_20250305' }]
    const request = requestFor({ tools, toolChoice: { type: 'tool', name: 'web_search' } })
    expect(request.tools).toHaveLength(1)
    expect(request).not.toHaveProperty('tool_choice')
  })
})

describe('a strict schema', () => {
  const closed = (properties: object, required: readonly string[]) => ({
    type: 'object',
    properties,
    required,
    additionalProperties: false,
  })
  const text = { type: 'string' }

  it.each([
    [closed({ a: text }, ['a']), true],
    [closed({ a: { anyOf: [closed({ b: text }, ['b']), { type: 'null' }] } }, ['a']), true],
    [closed({ a: text, b: text }, ['a']), false],
    [{ type: 'object', properties: { a: text }, required: ['a'] }, false],
    [closed({ a: { type: 'array', items: closed({ b: text }, []) } }, ['a']), false],
    [{ ...closed({ a: { $ref: '#/$defs/x' } }, ['a']), $defs: { x: { type: 'object' } } }, false],
  ])('is sent as such where OpenAI takes it so, else with a warning: %j', (schema, isStrict) => {
    const parameters: Call['parameters'] = {
      tools: [{ name: 'look', parameters: schema, strict: true }],
      responseFormat: { type: 'json-schema', name: 'answer', schema, strict: true },
    }
    expect(requestFor(parameters)).toMatchObject({
      tools: [{ function: { strict: isStrict } }],
      response_format: { json_schema: { strict: isStrict } },
    })
    const warnings = chatWarnings(newCall({ parameters }), TARGET, { provider: 'fake' }, new Set(), [])
    const warned = (param: string, name: string) => ({
      param,
      text: `Schemas with open objects or members that may be absent are not followed strictly here: ${name}.`,
    })
    expect(warnings).toEqual(
      isStrict ? [] : [warned('tools.strict', 'look'), warned('response_format', 'answer')],
    )
  })
})

type Named = Readonly<{ function: Readonly<{ name: string }> }>
type SentRequest = Readonly<{ tools: readonly Named[]; tool_choice: Named; messages: unknown }>

describe('a tool with a longer name than OpenAI takes', () => {
  const names = ['a', 'b'].map(end => `mcp__${'weather_of_the_world_'.repeat(4)}_${end}`)
  const completion = (name: string) => ({
    choices: [
      {
        message: {
          role: 'assistant',
          tool_calls: [{ id: 'c', type: 'function', function: { name, arguments: '{}' } }],
        },
        finish_reason: 'tool_calls',
      },
    ],
  })

  it('has a short one in request and history, and its own one in the answer', async () => {
    let sent: SentRequest | undefined
    const provider = compatible.create(
      providerDeps({
        post: (address, json, signal) => {
          sent = JSON.parse(String(json))
          const name = sent?.tool_choice.function.name ?? ''
          const body = Buffer.from(JSON.stringify(completion(name)))
          return answering(200, 'application/json', [body])(address, json, signal)
        },
      }),
    )
    const [first = '', second = ''] = names
    const call = newCall({
      messages: [
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: '', toolCalls: [{ id: 'c', name: second, arguments: '{}' }] },
        { role: 'tool', toolCallId: 'c', content: '7' },
      ],
      parameters: { tools: names.map(name => ({ name })), toolChoice: { type: 'tool', name: second } },
    })
    const events = await collect(await provider.ask(call, TARGET, newAttempt()))
    const short = (sent?.tools ?? []).map(tool => tool.function.name)
    expect(short.map(({ length }) => length)).toEqual([64, 64])
    expect(new Set(short).size).toBe(2)
    expect(sent?.messages).toMatchObject([{}, { tool_calls: [{ function: { name: short[1] } }] }, {}])
    expect(events).toMatchObject([{ type: 'tool-call-delta', name: second }, { type: 'finish' }])
    expect(JSON.stringify(sent)).not.toContain(first)
  })
})
