import { mkdtempSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BatchClient } from '../support/batch.ts'
import type { Json } from '../support/chat.ts'
import { GatewayProcess, HOSTS } from '../support/gateway.ts'

const BOUNDARY = 'x-boundary'
const TYPE = `multipart/form-data; boundary=${BOUNDARY}`
const part = (headers: string, value: string): string => `--${BOUNDARY}\r\n${headers}\r\n\r\n${value}\r\n`
const FILE = 'content-disposition: form-data; name="file"; filename="a.txt"'
const END = `--${BOUNDARY}--\r\n`

describe.each(HOSTS)('an upload under the %s host', host => {
  let gateway: GatewayProcess
  let client: BatchClient
  const data = mkdtempSync(join(tmpdir(), 'parley-upload-'))

  beforeAll(async () => {
    gateway = await GatewayProcess.start(host, {
      DATA_DIR: data,
      ENABLE_RATE_LIMITING: 'false',
      BATCH_WORKER: 'false',
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: 'http://127.0.0.1:9/v1',
    })
    client = new BatchClient(gateway.url)
  })
  afterAll(() => gateway?.stop())

  const kept = () => readdir(join(data, 'uploads')).catch(() => [])

  /** What a raw request is answered, whose body may never come. */
  const answerTo = async (headers: readonly string[], body = ''): Promise<string> => {
    const { hostname, port } = new URL(gateway.url)
    const socket = connect(Number(port), hostname)
    const head = ['POST /api/batch/upload HTTP/1.1', `host: ${hostname}`, ...headers].join('\r\n')
    socket.write(`${head}\r\n\r\n${body}`)
    let answer = ''
    for await (const chunk of socket) {
      answer += chunk
      if (answer.includes('}}')) break
    }
    return answer
  }

  const refusal = async (body: string, headers: Record<string, string> = { 'content-type': TYPE }) => {
    const answer = await client.ask('/upload', { method: 'POST', body, headers })
    const { error }: Json = await answer.json()
    await expect.poll(kept).toEqual([])
    return { status: answer.status, message: error.message }
  }

  it('of a declared 1 GB is 413 before a byte of it has come', async () => {
    const answer = await answerTo([`content-type: ${TYPE}`, 'content-length: 1000000000'])
    expect(answer).toMatch(/^HTTP\/1\.1 413 /)
    expect(answer).toContain('PAYLOAD_TOO_LARGE')
  })

  it.each(['gzip', 'br', 'deflate', 'zstd', 'gzip, gzip'])(
    'that is compressed by %s is 415',
    async encoding => {
      expect(await refusal('x', { 'content-type': TYPE, 'content-encoding': encoding })).toEqual({
        status: 415,
        message: 'Send the body uncompressed, without content-encoding.',
      })
    },
  )

  it.each<[string, string, string, number, RegExp]>([
    ['no boundary', 'multipart/form-data', part(FILE, 'x') + END, 400, /has no boundary/],
    ['another boundary', 'multipart/form-data; boundary=other', part(FILE, 'x') + END, 400, /not complete/],
    [
      'no file',
      TYPE,
      part('content-disposition: form-data; name="model"', 'mock') + END,
      400,
      /file: is required/,
    ],
    ['no part', TYPE, END, 400, /file: is required|not complete/],
    ['an empty body', TYPE, '', 400, /not complete|is required/],
    ['an empty file', TYPE, part(FILE, '') + END, 400, /a\.txt: is empty/],
    [
      'a file field of another name',
      TYPE,
      part(FILE.replace('"file"', '"data"'), 'x') + END,
      400,
      /data: is not a field/,
    ],
    ['a body that breaks off', TYPE, part(FILE, 'x').slice(0, -3), 400, /not complete/],
    [
      'headers of 3 MB',
      TYPE,
      part(`${FILE}\r\nx: ${'x'.repeat(3_000_000)}`, 'x') + END,
      400,
      /headers are longer/,
    ],
    [
      '65 parts',
      TYPE,
      part('content-disposition: form-data; name="model"', 'm').repeat(65) + END,
      400,
      /model: comes more/,
    ],
    ['another type', 'application/json', '{}', 415, /multipart\/form-data/],
  ])(
    'with %s is refused in words, and nothing of it stays on the disk',
    async (_, type, body, status, message) => {
      expect(await refusal(body, { 'content-type': type })).toEqual({
        status,
        message: expect.stringMatching(message),
      })
    },
  )

  it('leaves nothing on the disk when its sender leaves in the middle', async () => {
    const { hostname, port } = new URL(gateway.url)
    const socket = connect(Number(port), hostname)
    socket.write(
      `POST /api/batch/upload HTTP/1.1\r\nhost: ${hostname}\r\ncontent-type: ${TYPE}\r\ncontent-length: 1000000\r\n\r\n`,
    )
    socket.write(part(FILE, 'x'.repeat(100_000)))
    await expect.poll(async () => (await kept()).length).toBe(1)
    socket.destroy()
    await expect.poll(kept).toEqual([])
  })

  it('says with the job what it passed over, and takes the models of OpenAI’s lines by their own names', async () => {
    const body = {
      model: 'gpt-4o-mini-2024-07-18',
      messages: [
        { role: 'developer', content: 'Hi' },
        { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
      ],
      seed: 1,
      n: 1,
      stop: null,
    }
    const line = { custom_id: 'o', method: 'POST', url: '/v1/chat/completions', body }
    const answer = await client.upload({
      'a.csv': ';topic;Prompt\n0;x;"One, two?"\n',
      'b.jsonl': JSON.stringify(line),
    })
    const taken: Json = await answer.json()
    const warnings = [
      'a.csv: ignored unknown column "topic"',
      'b.jsonl: not passed on to the model: body parameter "seed"',
    ]
    expect(answer.status).toBe(202)
    expect(taken).toMatchObject({ counts: { total: 2 }, warnings })
    expect(await client.job(taken.id)).toMatchObject({ warnings })
    const refused = JSON.stringify({
      ...line,
      body: { ...body, n: 2, response_format: { type: 'json_object' } },
    })
    expect((await (await client.upload({ 'b.jsonl': refused })).json()).error.message).toMatch(
      /^b\.jsonl:1 body\.n cannot be passed on: leave it out, or send 1; body\.response_format cannot/,
    )
  })

  it('names the file and the encoding that is not UTF-8, and keeps files of one name apart', async () => {
    const answer = await client.upload({ 'a.csv': Buffer.from('id;prompt\r\na;Größe?\r\n', 'utf16le') })
    expect(answer.status).toBe(400)
    expect((await answer.json()).error.message).toMatch(/^a\.csv: .*UTF-16LE/)
    const form = new FormData()
    for (const text of ['One?', 'Two?']) form.append('file', new Blob([text]), 'a.txt')
    const taken: Json = await (await client.ask('/upload', { method: 'POST', body: form })).json()
    const { items } = await client.job(taken.id)
    expect(items.map((item: Json) => item.file)).toEqual(['a.txt', 'a (2).txt'])
  })
})
