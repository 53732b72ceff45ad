import { describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { GatewayError } from '#lib/errors.ts'
import { jobChange, jobQuery, jobsQuery, queryOf, resultsQuery, uploadFields } from '#lib/validation/batch.ts'
import { parseJob } from '#lib/validation/job.ts'
import { jsonOrThrow } from '#lib/validation/json.ts'
import { parseOrThrow } from '#lib/validation/zod.ts'

const NOW = Date.parse('2026-11-21T12:00:00Z')
const DAY_MS = 86_400_000
const LIMITS = {
  maxPromptCharacters: 2_000,
  maxMessages: 50,
  maxMessagesCharacters: 50_000,
  maxOutputTokens: 4_000,
}
const taken = (body: unknown, mostItems = 5) => parseJob(body, { item: LIMITS, mostItems, now: NOW })

/** All that is wrong with a job of at most so many items, or with a value of another schema: each fault's place and what is said of it; nothing where it is taken. */
const faultsOf = async (body: unknown, of: z.ZodType | number = 5): Promise<string[]> => {
  try {
    await (typeof of === 'number' ? taken(body, of) : parseOrThrow(of, body))
    return []
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== 'INVALID_INPUT') throw error
    return (error.details ?? []).map(({ path, message }) => `${path} ${message}`)
  }
}

const ITEM = { prompt: 'Hello' }
const withJob = (fields: object) => ({ items: [ITEM], ...fields })
const withItem = (fields: object) => ({ items: [{ ...ITEM, ...fields }] })
const inFuture = (ms: number): string => new Date(NOW + ms).toISOString()
const user = (content: string) => ({ role: 'user', content })

describe('the body of a job', () => {
  it('needs nothing but one item that asks something', async () => {
    expect(await taken({ items: [ITEM] })).toEqual({
      items: [{ id: '1', request: { prompt: 'Hello', maxTokens: 1_000, cache: 'default', fallback: true } }],
    })
  })

  it('may hold everything that a job and an item can have', async () => {
    const messages = [{ role: 'system', content: 'Be brief.' }, user('Hello')]
    const item = {
      messages,
      model: 'mock/echo',
      temperature: 0,
      maxTokens: 4_000,
      cache: 'no-store',
      fallback: false,
    }
    expect(
      await taken({
        name: '  My job ',
        priority: 'high',
        scheduledFor: '2026-11-22T14:00:00+02:00',
        webhookUrl: 'https://example.com/hook?a=b',
        items: [{ id: ' a b ', ...item }],
      }),
    ).toEqual({
      name: 'My job',
      priority: 'high',
      scheduledFor: Date.parse('2026-11-22T12:00:00Z'),
      webhookUrl: 'https://example.com/hook?a=b',
      items: [{ id: 'a b', request: item }],
    })
  })

  it.each([
    [undefined, 'body is required'],
    [null, 'body must be an object, is null'],
    [[], 'body must be an object, is array'],
    ['items', 'body must be an object, is string'],
    [{}, 'items is required'],
    [{ items: null }, 'items must be an array, is null'],
    [{ items: { 0: ITEM } }, 'items must be an array, is object'],
    [{ items: ['Hello'] }, 'items[0] must be an object, is string'],
    [withJob({ colour: 1 }), 'colour is not a field of this request'],
    [withItem({ colour: 1 }), 'items[0].colour is not a field of this request'],
    [withItem({ stream: true }), 'items[0].stream is not a field of this request'],
    [withJob({ owner: 'guest eve' }), 'owner is not a field of this request'],
  ])('is refused for what it is not: %j', async (body, fault) => {
    expect(await faultsOf(body)).toEqual([fault])
  })

  it('is refused with all its faults at once', async () => {
    expect(await faultsOf({ name: '', priority: 'urgent', items: [ITEM, {}, { prompt: 7 }] })).toEqual([
      'name must not be empty',
      'priority must be one of high, normal, low',
      'items[1].prompt or messages: send exactly one of them',
      'items[2].prompt must be a string, is number',
    ])
  })
})

describe('null', () => {
  it('is the same as leaving an optional field out, of a job and of its items', async () => {
    const nothing = { name: null, priority: null, scheduledFor: null, webhookUrl: null }
    const item = { id: null, messages: null, model: null, temperature: null, maxTokens: null }
    const sent = { ...nothing, items: [{ ...ITEM, ...item, cache: null, fallback: null }] }
    expect(await taken(sent)).toEqual(await taken({ items: [ITEM] }))
    expect(parseOrThrow(uploadFields(LIMITS, NOW), { ...nothing, instruction: null, model: null })).toEqual(
      {},
    )
  })

  it('is refused for what is required, and for what is no field', async () => {
    expect(await faultsOf({ items: null })).toEqual(['items must be an array, is null'])
    expect(await faultsOf({ priority: null }, jobChange)).toEqual([
      'priority must be one of high, normal, low',
    ])
    expect(await faultsOf({}, jobChange)).toEqual(['priority is required'])
    expect(await faultsOf(withJob({ speed: null }))).toEqual(['speed is not a field of this request'])
  })
})

describe('an id that is a number', () => {
  it('is the text that it is written as, so that 1 and "1" are one id', async () => {
    const items = [
      { ...ITEM, id: 1 },
      { ...ITEM, id: -2.5 },
      { ...ITEM, id: 0 },
    ]
    expect((await taken({ items })).items.map(({ id }) => id)).toEqual(['1', '-2.5', '0'])
    const twice = [
      { ...ITEM, id: 1 },
      { ...ITEM, id: '1' },
    ]
    expect(await faultsOf({ items: twice })).toEqual(['items[1].id is that of items[0] too'])
  })

  it('keeps every digit beyond 2^53', async () => {
    const body = '{"items":[{"id":9007199254740993,"prompt":"a"},{"id":9007199254740992,"prompt":"b"}]}'
    const { items } = await taken(jsonOrThrow(body))
    expect(items.map(({ id }) => id)).toEqual(['9007199254740993', '9007199254740992'])
  })
})

describe('a million faulty entries', () => {
  it.each(['items', 'messages'])('of %s are one fault', async name => {
    const million = Array.from({ length: 1_000_000 }, () => 1)
    const body = name === 'items' ? { items: million } : { items: [{ messages: million }] }
    expect(await faultsOf(body)).toEqual([expect.stringMatching(/must hold at most/)])
  })
})

describe('a job’s items', () => {
  it('are one to as many as a job may hold', async () => {
    expect(await faultsOf({ items: [] })).toEqual(['items must not be empty'])
    expect(await faultsOf({ items: Array(5).fill(ITEM) })).toEqual([])
    expect(await faultsOf({ items: Array(6).fill(ITEM) })).toEqual(['items must hold at most 5 items'])
    expect(await faultsOf({ items: Array(1_001).fill(ITEM) }, 1_000)).toEqual([
      'items must hold at most 1,000 items',
    ])
  })

  it('are called by their place where they have no name', async () => {
    const { items } = await taken({ items: [ITEM, { ...ITEM, id: 'x' }, ITEM] })
    expect(items.map(({ id }) => id)).toEqual(['1', 'x', '3'])
  })

  it('have names of their own, also beside those that are called by their place', async () => {
    const ids = (...given: (string | undefined)[]) => ({ items: given.map(id => ({ ...ITEM, id })) })
    expect(await faultsOf(ids('a', 'b', 'a', ' a '))).toEqual([
      'items[2].id is that of items[0] too',
      'items[3].id is that of items[0] too',
    ])
    expect(await faultsOf(ids('2', undefined))).toEqual(['items[1].id is that of items[0] too'])
    expect(await faultsOf(ids('a', 'A', '__proto__', 'constructor'))).toEqual([])
  })

  it.each([
    [{ id: '' }, 'id must not be empty'],
    [{ id: '   ' }, 'id must not be empty'],
    [{ id: 'x'.repeat(129) }, 'id must have at most 128 characters'],
    [{ id: 'a\nb' }, 'id must hold no control characters, and be well-formed Unicode'],
    [{ id: 'a\u0000b' }, 'id must hold no control characters, and be well-formed Unicode'],
    [{ id: 'a\ud800' }, 'id must hold no control characters, and be well-formed Unicode'],
    [{ id: true }, 'id must be a string, is boolean'],
    [{ id: 2 ** 53 }, 'id must be a string, is number'],
    [{ prompt: '' }, 'prompt must not be empty'],
    [{ prompt: ' \u0007\n' }, 'prompt must not be empty'],
    [{ prompt: 'x'.repeat(2_001) }, 'prompt must have at most 2,000 characters, has 2,001'],
    [{ prompt: ['Hello'] }, 'prompt must be a string, is array'],
    [{ prompt: undefined }, 'prompt or messages: send exactly one of them'],
    [{ messages: [user('Hello')] }, 'prompt or messages: send exactly one of them'],
    [{ model: '' }, 'model must not be empty'],
    [{ model: 'x'.repeat(201) }, 'model must have at most 200 characters'],
    [{ model: 'gpt 4' }, 'model must be printable ASCII without spaces'],
    [{ temperature: -0.1 }, 'temperature must be from 0 to 2'],
    [{ temperature: 2.1 }, 'temperature must be from 0 to 2'],
    [{ temperature: '1' }, 'temperature must be a number, is string'],
    [{ maxTokens: 0 }, 'maxTokens must be from 1 to 4,000'],
    [{ maxTokens: 4_001 }, 'maxTokens must be from 1 to 4,000'],
    [{ maxTokens: 1.5 }, 'maxTokens must be a whole number'],
    [{ cache: 'never' }, 'cache must be one of default, refresh, no-store'],
    [{ cache: 'use' }, 'cache must be one of default, refresh, no-store'],
    [{ fallback: 'no' }, 'fallback must be a boolean, is string'],
  ])('are refused where one has %j', async (fields, fault) => {
    expect(await faultsOf(withItem(fields))).toEqual([`items[0].${fault}`])
  })

  it.each([
    { id: 'x'.repeat(128) },
    { id: '🎉'.repeat(128) },
    { id: 'Größe 🎉' },
    { prompt: 'x'.repeat(2_000) },
    { prompt: '🎉'.repeat(2_000) },
    { model: 'x'.repeat(200) },
    { temperature: 2 },
    { maxTokens: 1 },
  ])('are taken up to their bounds', async fields => {
    expect(await faultsOf(withItem(fields))).toEqual([])
  })

  it.each([
    [Array(51).fill(user('a')), 'messages must hold at most 50 messages'],
    [[user('a'), { role: 'assistant', content: 'b' }], 'messages must end with a message from user'],
    [[user('')], 'messages[0].content must not be empty'],
    [[{ role: 'tool', content: 'a' }], 'messages[0].role must be one of system, user, assistant'],
    [[{ ...user('a'), name: 'Ada' }], 'messages[0].name is not a field of this request'],
    [
      [user('x'.repeat(25_000)), user('x'.repeat(25_001))],
      'messages together must have at most 50,000 characters, has 50,001',
    ],
  ])('are refused for messages that a chat would be refused for', async (messages, fault) => {
    expect(await faultsOf({ items: [{ messages }] })).toEqual([`items[0].${fault}`])
  })
})

describe('a job’s name', () => {
  it.each(['a', 'x'.repeat(200), '🎉'.repeat(200), ` ${'x'.repeat(200)} `, 'Größe “1” 🎉'])(
    'may be %j',
    async name => {
      expect((await taken(withJob({ name }))).name).toBe(name.trim())
    },
  )

  it.each([
    ['', 'must not be empty'],
    [' \t\n', 'must not be empty'],
    ['x'.repeat(201), 'must have at most 200 characters'],
    ['🎉'.repeat(201), 'must have at most 200 characters'],
    ['a\r\nb', 'must hold no control characters, and be well-formed Unicode'],
    ['a\u0085b', 'must hold no control characters, and be well-formed Unicode'],
    ['\udfff', 'must hold no control characters, and be well-formed Unicode'],
    [7, 'must be a string, is number'],
  ])('may not be %j', async (name, fault) => {
    expect(await faultsOf(withJob({ name }))).toEqual([`name ${fault}`])
  })
})

describe('a job’s priority', () => {
  it.each(['high', 'normal', 'low'])('may be %s', async priority => {
    expect((await taken(withJob({ priority }))).priority).toBe(priority)
  })

  it.each(['urgent', 'HIGH', '', 1])('may not be %j', async priority => {
    const fault = 'priority must be one of high, normal, low'
    expect(await faultsOf(withJob({ priority }))).toEqual([fault])
    expect(await faultsOf({ priority }, jobChange)).toEqual([fault])
  })

  it('is all that can be changed of it', async () => {
    expect(parseOrThrow(jobChange, { priority: 'low' })).toEqual({ priority: 'low' })
    expect(await faultsOf({ priority: 'low', name: 'Other' }, jobChange)).toEqual([
      'name is not a field of this request',
    ])
    expect(await faultsOf({}, jobChange)).toHaveLength(1)
  })
})

describe('the time that a job is scheduled for', () => {
  it.each([
    ['2026-11-21T12:00:00Z', NOW],
    ['2026-11-21T13:00:00.250+01:00', NOW + 250],
    ['2026-11-21T06:30:00-05:30', NOW],
    [inFuture(30 * DAY_MS), NOW + 30 * DAY_MS],
  ])('may be %s', async (scheduledFor, at) => {
    expect((await taken(withJob({ scheduledFor }))).scheduledFor).toBe(at)
  })

  it('may have passed: then the job begins at once', async () => {
    expect((await taken(withJob({ scheduledFor: '2020-01-01T00:00:00Z' }))).scheduledFor).toBeLessThan(NOW)
  })

  it('is no later than in 30 days', async () => {
    const faults = ['scheduledFor must be within the next 30 days']
    expect(await faultsOf(withJob({ scheduledFor: inFuture(30 * DAY_MS + 1) }))).toEqual(faults)
    expect(await faultsOf(withJob({ scheduledFor: '9999-12-31T23:59:59Z' }))).toEqual(faults)
  })

  it.each([
    '',
    'tomorrow',
    '2026-12-24',
    '2026-12-24T18:00:00',
    '2026-02-30T00:00:00Z',
    '2026-12-24T25:00:00Z',
  ])('may not be %j', async scheduledFor => {
    expect(await faultsOf(withJob({ scheduledFor }))).toEqual([
      'scheduledFor must be an ISO 8601 time with its zone, such as 2026-12-24T18:00:00Z',
    ])
  })

  it.each([[NOW, 'number']])('is written as text, not as %j', async (scheduledFor, type) => {
    expect(await faultsOf(withJob({ scheduledFor }))).toEqual([`scheduledFor must be a string, is ${type}`])
  })
})

describe('a job’s webhook', () => {
  it.each([
    'https://example.com',
    'https://example.com:8443/a/b?c=d',
    'https://bücher.example/',
    `https://example.com/${'x'.repeat(1_980)}`,
  ])('may be at %s', async webhookUrl => {
    expect((await taken(withJob({ webhookUrl }))).webhookUrl).toBe(webhookUrl)
  })

  it.each([
    'http://example.com',
    'ftp://example.com',
    'javascript:alert(1)',
    'file:///etc/passwd',
    'example.com/hook',
    '//example.com',
    '/hook',
    'https://',
    'https://exa mple.com',
    'https://example.com:99999',
    '',
  ])('may not be at %j', async webhookUrl => {
    expect(await faultsOf(withJob({ webhookUrl }))).toEqual(['webhookUrl must be an https:// address'])
  })

  it.each(['https://user@example.com', 'https://user:word@example.com/hook', 'https://:word@example.com'])(
    'holds no user and no password: %s',
    async webhookUrl => {
      expect(await faultsOf(withJob({ webhookUrl }))).toEqual([
        'webhookUrl must hold no user and no password',
      ])
    },
  )

  it('has an address of bounded length, in text', async () => {
    expect(await faultsOf(withJob({ webhookUrl: `https://example.com/${'x'.repeat(1_981)}` }))).toEqual([
      'webhookUrl must have at most 2000 characters',
    ])
    expect(await faultsOf(withJob({ webhookUrl: ['https://example.com'] }))).toEqual([
      'webhookUrl must be a string, is array',
    ])
  })
})

describe('the fields of an upload', () => {
  const fields = uploadFields(LIMITS, NOW)

  it('are those of a job, with an instruction and a model for all its items', async () => {
    expect(parseOrThrow(fields, {})).toEqual({})
    expect(
      parseOrThrow(fields, { name: 'Files', priority: 'low', instruction: ' Sum up. ', model: 'mock/echo' }),
    ).toEqual({ name: 'Files', priority: 'low', instruction: 'Sum up.', model: 'mock/echo' })
    expect(await faultsOf({ instruction: '🎉'.repeat(50_000) }, fields)).toEqual([])
  })

  it.each([
    [{ instruction: ' ' }, 'instruction must not be empty'],
    [{ instruction: 'x'.repeat(50_001) }, 'instruction must have at most 50000 characters'],
    [{ model: 'a b' }, 'model must be printable ASCII without spaces'],
    [{ temperature: '1' }, 'temperature is not a field of this request'],
    [{ webhookUrl: 'http://example.com' }, 'webhookUrl must be an https:// address'],
  ])('are refused for %j', async (given, fault) => {
    expect(await faultsOf(given, fields)).toEqual([fault])
  })
})

describe('a query', () => {
  const query = (text: string) => queryOf(new Request(`http://localhost/api/batch/jobs${text}`))

  it('has a page of 50 where nothing else is asked for, and of 200 at most', async () => {
    expect(parseOrThrow(jobsQuery, query(''))).toEqual({ limit: 50 })
    expect(parseOrThrow(jobsQuery, query('?limit=200&cursor=abc'))).toEqual({ limit: 200, cursor: 'abc' })
    expect(await faultsOf(query('?limit=201'), jobsQuery)).toEqual(['limit must be from 1 to 200'])
    expect(await faultsOf(query('?limit=0'), jobsQuery)).toEqual(['limit must be from 1 to 200'])
  })

  it.each(['?limit=', '?limit=-1', '?limit=1e2', '?limit=ten', '?limit=10&limit=20'])(
    'may not be %s',
    async text => {
      expect(await faultsOf(query(text), jobsQuery)).toEqual(['limit must be a whole number'])
    },
  )

  it('names a state of items, a format of results, and nothing that is not known', async () => {
    expect(parseOrThrow(jobQuery, query('?state=failed'))).toEqual({ limit: 50, state: 'failed' })
    expect(await faultsOf(query('?state=lost'), jobQuery)).toEqual([
      'state must be one of queued, running, succeeded, failed, cancelled',
    ])
    expect(parseOrThrow(resultsQuery, query(''))).toEqual({ format: 'jsonl' })
    expect(await faultsOf(query('?format=xml'), resultsQuery)).toEqual(['format must be one of jsonl, csv'])
    expect(await faultsOf(query('?page=2'), jobsQuery)).toEqual(['page is not a field of this request'])
  })
})
