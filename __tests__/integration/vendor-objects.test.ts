import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type GatewayProcess, HOSTS } from '../support/gateway.ts'
import { messageItem, nativeResponse, responds } from '../support/responses-behaviour.ts'
import { says, sends } from '../support/upstream-behaviour.ts'
import {
  asAnthropicToo,
  startUpstreamGateway,
  stopUpstreamGateway,
  type UpstreamGateway,
} from '../support/upstream-gateway.ts'

const MODEL = 'gpt-4o'
const CLAUDE = 'claude-sonnet-4-5'
const ADMIN_TOKEN = 'the-token-of-the-admin'
const OWN_CONTAINER = 'cntr_of_ada'
const ranCode = {
  type: 'code_interpreter_call',
  id: 'ci_1',
  status: 'completed',
  code: '1',
  container_id: OWN_CONTAINER,
  outputs: null,
}

const said = (content: object) => ({ model: MODEL, messages: [{ role: 'user', content: [content] }] })
const asked = (content: object) => ({ model: MODEL, input: [{ role: 'user', content: [content] }] })
const withTool = (tool: object) => ({ model: MODEL, input: 'Hi', tools: [tool] })
const told = (block: object) => ({
  model: CLAUDE,
  max_tokens: 9,
  messages: [{ role: 'user', content: [block] }],
})

/** A request of each kind that names an object of the account, and where it does. */
const FAMILY: readonly (readonly [path: string, body: object, param: string])[] = [
  [
    'chat/completions',
    said({ type: 'file', file: { file_id: 'file-bob' } }),
    'messages[0].content[0].file.file_id',
  ],
  [
    'chat/completions',
    {
      model: MODEL,
      messages: [
        { role: 'assistant', audio: { id: 'audio_bob' } },
        { role: 'user', content: 'What?' },
      ],
    },
    'messages[0].audio.id',
  ],
  ['responses', asked({ type: 'input_file', file_id: 'file-bob' }), 'input[0].content[0].file_id'],
  ['responses', asked({ type: 'input_image', file_id: 'file-bob' }), 'input[0].content[0].file_id'],
  ['responses', withTool({ type: 'file_search', vector_store_ids: ['vs_bob'] }), 'tools[0].vector_store_ids'],
  ['responses', withTool({ type: 'code_interpreter', container: 'cntr_bob' }), 'tools[0].container'],
  [
    'responses',
    withTool({ type: 'code_interpreter', container: { type: 'auto', file_ids: ['file-bob'] } }),
    'tools[0].container.file_ids',
  ],
  ['responses', { model: MODEL, prompt: { id: 'pmpt_bob' } }, 'prompt.id'],
  ['responses', { model: MODEL, input: [{ type: 'image_generation_call', id: 'ig_bob' }] }, 'input[0].id'],
  [
    'messages',
    told({ type: 'document', source: { type: 'file', file_id: 'file_bob' } }),
    'messages[0].content[0].source.file_id',
  ],
  ['messages', told({ type: 'container_upload', file_id: 'file_bob' }), 'messages[0].content[0].file_id'],
  ['messages', { ...told({ type: 'text', text: 'Hi' }), container: 'container_bob' }, 'container'],
  [
    'messages/count_tokens',
    told({ type: 'image', source: { type: 'file', file_id: 'file_bob' } }),
    'messages[0].content[0].source.file_id',
  ],
  ['audio/speech', { model: 'gpt-4o-mini-tts', input: 'Hi', voice: { id: 'voice_bob' } }, 'voice.id'],
  [
    'images/generations',
    { model: 'gpt-image-1', prompt: 'A cat', mask: { file_id: 'file-bob' } },
    'mask.file_id',
  ],
]

const guestOf = async ({ url }: GatewayProcess): Promise<string> => {
  const answer = await fetch(`${url}/api/session`, { method: 'POST' })
  return (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
}

const environment = (baseUrl: string) => ({ ...asAnthropicToo(baseUrl), ADMIN_TOKEN })

describe.each(HOSTS)('ids of objects at a vendor under the %s server', host => {
  let setting: UpstreamGateway
  let ada: string
  let bob: string

  const post = (path: string, body: object, cookie = ada) =>
    fetch(`${setting.gateway.url}/v1/${path}`, {
      method: 'POST',
      headers: { ...(!(body instanceof FormData) && { 'content-type': 'application/json' }), cookie },
      body: body instanceof FormData ? body : JSON.stringify(body),
    })

  beforeAll(async () => {
    setting = await startUpstreamGateway(host, environment)
    ada = await guestOf(setting.gateway)
    bob = await guestOf(setting.gateway)
  })
  beforeEach(() => {
    setting.upstream.usually(says(['Secret']))
    setting.upstream.calls.length = 0
  })
  afterAll(() => stopUpstreamGateway(setting ?? {}))

  it.each(FAMILY)('are refused by %s before any upstream is asked: %j', async (path, body, param) => {
    const refused = await post(path, body)
    expect(refused.status).toBe(400)
    const { error } = await refused.json()
    expect(error).toMatchObject({
      type: 'invalid_request_error',
      ...(!path.startsWith('messages') && { param, code: 'invalid_input' }),
      message: expect.stringContaining(`${param} names a`),
    })
    expect(setting.upstream.calls).toEqual([])
  })

  it.each([
    ['begun', { type: 'create' }],
    ['continued', { type: 'continue', previous_message_id: 'msg_bob' }],
  ])('a conversation at Anthropic is not %s: clients learn to go on without', async (_, thread) => {
    const refused = await post('messages', { ...told({ type: 'text', text: 'Hi' }), thread })
    expect(refused.status).toBe(400)
    expect((await refused.json()).error).toMatchObject({
      type: 'invalid_request_error',
      message: expect.stringContaining('thread names a conversation that is held at the provider'),
      details: { error_code: 'thread_unsupported_request', unsupported: ['thread'] },
    })
    expect(setting.upstream.calls).toEqual([])
  })

  it('are refused in a form', async () => {
    const form = new FormData()
    form.append('model', 'gpt-image-1')
    form.append('prompt', 'A cat')
    form.append('image', new Blob(['x'], { type: 'image/png' }), 'a.png')
    form.append('images[1][file_id]', 'file-bob')
    const refused = await post('images/edits', form)
    expect([refused.status, (await refused.json()).error.param]).toEqual([400, 'images[1][file_id]'])
    expect(setting.upstream.calls).toEqual([])
  })

  it('are refused in a batch’s request, which the rest of the batch does not notice', async () => {
    const requests = [
      { custom_id: 'file', params: told({ type: 'container_upload', file_id: 'file_bob' }) },
      { custom_id: 'text', params: told({ type: 'text', text: 'Hi' }) },
    ]
    const { id } = await (await post('messages/batches', { requests })).json()
    const url = `${setting.gateway.url}/v1/messages/batches/${id}`
    const get = async (path = '') => (await fetch(url + path, { headers: { cookie: ada } })).text()
    await expect
      .poll(async () => JSON.parse(await get()).processing_status, { timeout: 30_000 })
      .toBe('ended')
    const lines = (await get('/results'))
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    const refused = lines.find(line => line.custom_id === 'file')
    expect(refused.result).toMatchObject({
      type: 'errored',
      error: { error: { type: 'invalid_request_error' } },
    })
    for (const { body } of setting.upstream.calls) expect(body).not.toContain('file_bob')
  })

  it('say of a file of this gateway that it is for batches', async () => {
    const form = new FormData()
    form.append('purpose', 'batch')
    form.append('file', new Blob(['{}\n']), 'a.jsonl')
    const { id } = await (await post('files', form)).json()
    const refused = await post('chat/completions', said({ type: 'file', file: { file_id: id } }))
    expect(refused.status).toBe(400)
    expect((await refused.json()).error.message).toContain(
      'cannot be a file of this gateway: those are for batches; send the content of the file in its place',
    )
  })

  it('let a caller’s own through, which its answers named, and not to another caller', async () => {
    const answer = nativeResponse('resp_ada', [ranCode, messageItem('msg_1', 'Done')])
    setting.upstream.usually(responds(answer))
    const tool = { type: 'code_interpreter', container: { type: 'auto' } }
    expect((await post('responses', withTool(tool))).status).toBe(200)
    const again = {
      model: MODEL,
      input: [{ role: 'user', content: 'Hi' }, ranCode, { role: 'user', content: 'Again' }],
      tools: [{ type: 'code_interpreter', container: OWN_CONTAINER }],
    }
    setting.upstream.calls.length = 0
    expect((await post('responses', again)).status).toBe(200)
    expect(JSON.parse(setting.upstream.calls[0]?.body ?? '')).toMatchObject(again)
    const refused = await post('responses', again, bob)
    expect([refused.status, (await refused.json()).error.param]).toEqual([400, 'input[1].container_id'])
    expect(setting.upstream.calls).toHaveLength(1)
  })

  it('are no names in a caller’s own data: of its tools, their input, its metadata', async () => {
    const body = {
      model: MODEL,
      messages: [{ role: 'user', content: 'Hi' }],
      metadata: { file_id: 'mine' },
      tools: [
        {
          type: 'function',
          function: {
            name: 'open',
            parameters: { type: 'object', properties: { file_id: { type: 'string' } } },
          },
        },
      ],
    }
    expect((await post('chat/completions', body)).status).toBe(200)
  })
})

describe('ids of objects at a vendor reach it unchanged', () => {
  it.each([
    ['without any keys', () => ({})],
    [
      'with vendorObjects: "allow"',
      () => {
        const path = join(mkdtempSync(join(tmpdir(), 'parley-objects-')), 'gateway.json')
        writeFileSync(path, JSON.stringify({ vendorObjects: 'allow' }))
        return { GATEWAY_CONFIG: path, ADMIN_TOKEN }
      },
    ],
  ])('%s', async (_, environment) => {
    const setting = await startUpstreamGateway('native', () => ({
      ENABLE_CACHING: 'false',
      ...environment(),
    }))
    try {
      const json = '{"data":[],"results":[],"choices":[],"text":"ok"}'
      const whole = sends([json], { type: 'application/json' })
      for (const [endpoint, body] of FAMILY) {
        if (endpoint.startsWith('messages')) continue
        const kinds = {
          responses: responds(nativeResponse('resp_1', [messageItem('msg_1', 'ok')])),
          'chat/completions': says(['ok']),
        }
        setting.upstream.usually(endpoint in kinds ? kinds[endpoint as keyof typeof kinds] : whole)
        const answer = await fetch(`${setting.gateway.url}/v1/${endpoint}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        })
        expect([endpoint, answer.status]).toEqual([endpoint, 200])
        expect(JSON.parse(setting.upstream.calls.at(-1)?.body ?? '')).toMatchObject(body)
      }
    } finally {
      await stopUpstreamGateway(setting)
    }
  })
})
