import { mkdtempSync, openAsBlob, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { texts } from '../support/anthropic-behaviour.ts'
import { BatchClient } from '../support/batch.ts'
import { FakeUpstream } from '../support/fake-upstream.ts'
import { expectFreeLoopDuring } from '../support/free-loop.ts'
import { GatewayProcess } from '../support/gateway.ts'
import { leastDisturbed } from '../support/loop-delays.ts'

const BODY_BYTES = 30_000_000
const ITEMS = 100_000
/** Characters of refused lists, which fit into the smallest body. */
const MOST_REFUSED = 1_000_000
const WARM_ITEMS = 2_000
const TIMEOUT_MS = 600_000
const UPLOAD_BYTES = 200_000_000
const LINES = 20_000
const DATA_DIR = mkdtempSync(join(tmpdir(), 'parley-large-'))

/** Items of `bytes` bytes together, one a line, all of the same length. */
const linesOf = (bytes: number, lines: number): Buffer => {
  const [head, tail] = ['{"model":"mock/echo","prompt":"', '"}\n']
  const length = Math.floor(bytes / lines)
  return Buffer.alloc(length * lines, head + 'x'.repeat(length - head.length - tail.length) + tail)
}

/** Multiplies the items of a job that has completed, as its database holds them: to run so many takes 20 s. */
const multiply = (id: string, times: number): void => {
  const database = new DatabaseSync(join(DATA_DIR, 'parley.db'), { timeout: 5_000 })
  try {
    const columns = database
      .prepare('select name from pragma_table_info(?)')
      .all('batch_items')
      .map(({ name }) => name)
    const values = columns.map(name => (name === 'place' ? 'place + copy.nth * job.total' : `item.${name}`))
    database
      .prepare(
        `with recursive copy(nth) as (select 1 union all select nth + 1 from copy where nth + 1 < ?)
         insert into batch_items (${columns})
         select ${values} from batch_jobs job join batch_items item on item.job_id = job.id, copy where job.id = ?`,
      )
      .run(times, id)
    database
      .prepare('update batch_jobs set total = total * ?, succeeded = succeeded * ? where id = ?')
      .run(times, times, id)
  } finally {
    database.close()
  }
}

describe('what is large', () => {
  let claude: FakeUpstream
  let mistral: FakeUpstream
  let gateway: GatewayProcess
  let client: BatchClient

  beforeAll(async () => {
    claude = (await FakeUpstream.start()).usually(texts('Hello'))
    mistral = await FakeUpstream.start()
    gateway = await GatewayProcess.start('native', {
      MOCK_LATENCY_MS: '0',
      MOCK_CHUNK_MS: '0',
      ENABLE_RATE_LIMITING: 'false',
      DATA_DIR,
      ANTHROPIC_API_KEY: 'sk-ant-test',
      ANTHROPIC_BASE_URL: claude.baseUrl,
      MISTRAL_API_KEY: 'test-key',
      MISTRAL_BASE_URL: mistral.baseUrl,
      // What is measured begins when the items have ended.
      BATCH_CONCURRENCY: '50',
      BATCH_MAX_BODY_BYTES: '100000000',
      BATCH_MAX_FILE_BYTES: '250000000',
      BATCH_MAX_UPLOAD_BYTES: '250000000',
      BATCH_MAX_ITEM_CHARACTERS: '20000',
    })
    client = new BatchClient(gateway.url)
  })
  afterAll(async () => {
    await gateway?.stop()
    await claude?.stop()
    await mistral?.stop()
  })

  const completed = async (items: number): Promise<string> => {
    const item = { prompt: 'a', model: 'mock/echo' }
    const { id } = await client.submit(Array.from({ length: items }, () => item))
    expect(await client.ended(id)).toMatchObject({ state: 'completed' })
    return id
  }

  const countOfLines = async (id: string, format: string): Promise<number> => {
    const { body } = await client.ask(`/jobs/${id}/results?format=${format}`)
    let lines = 0
    for await (const chunk of body ?? [])
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines += 1
    return lines
  }

  it('is sent: results of 100,000 items, as JSONL and as CSV, keep the event loop for at most 50 ms, and health answers within 100 ms', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const warm = await completed(WARM_ITEMS)
    for (const format of ['jsonl', 'csv']) await countOfLines(warm, format)
    const id = await completed(WARM_ITEMS)
    multiply(id, ITEMS / WARM_ITEMS)
    expect(await client.job(id)).toMatchObject({ counts: { total: ITEMS, succeeded: ITEMS } })
    await expectFreeLoopDuring(gateway, async () => expect(await countOfLines(id, 'jsonl')).toBe(ITEMS))
    await expectFreeLoopDuring(gateway, async () => expect(await countOfLines(id, 'csv')).toBe(ITEMS + 1))
  })

  it('is counted: 4 MB of messages, by a tokenizer that is yet to be loaded, keep the event loop for at most 50 ms', async () => {
    const count = async (words: number) => {
      const content = 'word '.repeat(words)
      const response = await fetch(`${gateway.url}/v1/messages/count_tokens`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'mock/echo', messages: [{ role: 'user', content }] }),
      })
      expect(response.headers.get('x-gateway-estimated')).toBe('true')
      const { input_tokens: tokens } = (await response.json()) as { input_tokens: number }
      expect(Math.abs(tokens - words)).toBeLessThan(words / 100 + 10)
    }
    await expectFreeLoopDuring(gateway, () => count(800_000))
  })

  it('is continued: 20 stored answers with 20,000 items together keep the event loop for at most 50 ms', async () => {
    const respond = async (items: number, previous?: string): Promise<string> => {
      const input = Array.from({ length: items }, (_, at) => ({ role: 'user', content: `Question ${at}` }))
      const response = await fetch(`${gateway.url}/v1/responses`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'mock/echo', input, previous_response_id: previous }),
      })
      expect(response.status).toBe(200)
      return ((await response.json()) as { id: string }).id
    }
    let last: string | undefined
    for (let answers = 0; answers < 20; answers += 1) last = await respond(1_000, last)
    await expectFreeLoopDuring(gateway, async () => void (await respond(1, last)))
  })

  const repeated = (text: string): string => text.repeat(Math.floor(BODY_BYTES / Buffer.byteLength(text)))
  const messagesOf = (content: string): string => `"messages":[{"role":"user","content":${content}}]`

  // To collect the garbage of half a million small objects takes V8 itself longer than 50 ms on a slow machine.
  it.each<[what: string, path: string, mostMs: number, members: () => string, model?: string]>([
    ['one long text', '/v1/chat/completions', 50, () => messagesOf(`"${repeated('a word, and ')}"`)],
    [
      'one long text of other scripts',
      '/v1/chat/completions',
      50,
      () => messagesOf(`"${repeated('слово и ')}"`),
    ],
    [
      'one long text with line breaks',
      '/v1/chat/completions',
      50,
      () => messagesOf(`"${repeated('a word, \\n and \\u00e9 ')}"`),
    ],
    [
      'many messages',
      '/v1/chat/completions',
      150,
      () =>
        `"messages":[${repeated('{"role":"user","content":"some words of a message"},')}{"role":"user","content":"Hi"}]`,
    ],
    [
      'many parts',
      '/v1/messages',
      150,
      () => {
        const part = '{"type":"text","text":"a word or two"}'
        const message = `{"role":"user","content":[${Array.from({ length: 10_000 }, () => part).join()}]}`
        const count = Math.floor(BODY_BYTES / message.length)
        return `"messages":[${Array.from({ length: count }, () => message).join()}]`
      },
    ],
    [
      'many items',
      '/v1/responses',
      150,
      () =>
        `"store":false,"input":[${repeated('{"role":"user","content":"some words of a message"},')}{"role":"user","content":"Hi"}]`,
    ],
    ['one long text that is kept', '/v1/responses', 50, () => `"input":"${repeated('a word, and слово ')}"`],
    [
      'one long text, translated for another vendor,',
      '/v1/chat/completions',
      50,
      () => messagesOf(`"${repeated('a word, \\n and слово ')}"`),
      'anthropic/claude-test',
    ],
    [
      'many instructions of a developer, for a vendor without that role,',
      '/v1/chat/completions',
      50,
      () =>
        `"messages":[${repeated(`{"role":"developer","content":"${'some words of a message, '.repeat(40)}"},`)}{"role":"user","content":"Hi"}]`,
      'mistral/any',
    ],
    [
      'one long message with a call, for a vendor whose ids are short,',
      '/v1/chat/completions',
      50,
      () => {
        const call = '{"id":"call_of_a_tool","type":"function","function":{"name":"f","arguments":"{}"}}'
        return `"messages":[{"role":"assistant","content":"${repeated('a word, \\n and слово ')}","tool_calls":[${call}]},{"role":"tool","tool_call_id":"call_of_a_tool","content":"x"}]`
      },
      'mistral/any',
    ],
  ])(
    'is asked: 30 MB of %s to %s keep the event loop for at most %i ms',
    async (_, path, mostMs, members, model = 'mock/echo') => {
      const body = Buffer.from(`{"model":"${model}","max_tokens":100,${members()}}`)
      const ask = async (sent: Buffer) => {
        const headers = { 'content-type': 'application/json' }
        const answer = await fetch(`${gateway.url}${path}`, {
          method: 'POST',
          headers,
          body: new Uint8Array(sent),
        })
        await answer.text()
        return answer.status
      }
      expect(await ask(Buffer.from('{'))).toBe(400)
      await leastDisturbed(async () => {
        await gateway.watchLoop()
        expect(await ask(body)).toBe(200)
        const delays = await gateway.loopDelays()
        delays.expectBelow(mostMs)
      })
    },
  )

  const elements = (element: string): string =>
    `[${Array.from({ length: MOST_REFUSED / (element.length + 1) }, () => element).join()}]`

  it.each<[what: string, path: string, body: () => string]>([
    ['messages', '/v1/chat/completions', () => `{"model":"mock/echo","messages":${elements('1')}}`],
    [
      'sequences to stop at',
      '/v1/chat/completions',
      () => `{"model":"mock/echo",${messagesOf('"Hi"')},"stop":${elements('1')}}`,
    ],
    [
      'calls of tools',
      '/v1/chat/completions',
      () => `{"model":"mock/echo","messages":[{"role":"assistant","tool_calls":${elements('1')}}]}`,
    ],
    ['items', '/v1/responses', () => `{"model":"mock/echo","input":${elements('1')}}`],
    [
      'blocks of instructions',
      '/v1/messages',
      () => `{"model":"mock/echo","max_tokens":9,${messagesOf('"Hi"')},"system":${elements('1')}}`,
    ],
    ['parts', '/api/chat', () => `{"messages":[{"role":"user","parts":${elements('{}')}}]}`],
    ['tools', '/api/chat', () => `{"prompt":"Hi","tools":${elements('1')}}`],
    ['graders', '/api/evaluate', () => `{"input":"a","answer":"b","graders":${elements('1')}}`],
  ])('is refused: 1 MB of invalid %s to %s keeps the event loop for at most 50 ms', async (_, path, body) => {
    const sent = body()
    await expectFreeLoopDuring(gateway, async () => {
      const headers = { 'content-type': 'application/json' }
      const answer = await fetch(`${gateway.url}${path}`, { method: 'POST', headers, body: sent })
      expect([answer.status, (await answer.text()).length < 50_000]).toEqual([400, true])
    })
  })

  it('is taken: an upload of 200 MB keeps the event loop for at most 50 ms, and health answers within 100 ms', {
    timeout: TIMEOUT_MS,
  }, async () => {
    // Sent from the disk: this process measures meanwhile, and must not be busy itself.
    const path = join(mkdtempSync(join(tmpdir(), 'parley-large-')), 'items.jsonl')
    const upload = async (lines: number) => {
      const form = new FormData()
      form.append('file', await openAsBlob(path), 'items.jsonl')
      const answer = await client.ask('/upload', { method: 'POST', body: form })
      const job = await answer.json()
      expect([answer.status, job.counts?.total]).toEqual([202, lines])
    }
    writeFileSync(path, linesOf(5_000_000, 500))
    await upload(500)
    writeFileSync(path, linesOf(UPLOAD_BYTES, LINES))
    await expectFreeLoopDuring(gateway, () => upload(LINES))
  })
})
