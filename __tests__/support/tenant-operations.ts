import { oneOf } from './load.ts'
import type { Answer, Kind, Sent, Tenant, Tenants } from './tenants.ts'

/** A tenant's turn; `random` gives numbers from 0 up to 1. */
export type Step = Readonly<{ who: Tenant; tenants: Tenants; random: () => number }>

const SHARED = 25

const parse = (text: string) => (text.startsWith('{') ? JSON.parse(text) : {})
const below = (step: Step, most: number): number => Math.floor(step.random() * most)

const send = ({ who, tenants, random }: Step, path: string, sent: Sent = {}): Promise<Answer> =>
  tenants.send(who, path, sent, random)

/** A question that only this tenant asks, or one of those that all ask in the same words. */
const question = (step: Step): string =>
  step.random() < 0.4 ? `Shared question ${below(step, SHARED)}` : `${step.who.marker} ${below(step, 60)}`

/** The tenant's own model, whose name is then in its requests and its usage. */
const ownModel = ({ who }: Step): string => `openai/${who.marker}`

const chat = async (step: Step): Promise<void> => {
  const requestId = `request-${below(step, 300)}`
  const stream = step.random() < 0.3
  const isOwn = step.random() < 0.3
  const messages = [{ role: 'user', content: question(step) }]
  const model = isOwn ? ownModel(step) : 'openai/shared'
  const [path, body] = oneOf<[string, object]>(
    [
      ['/api/chat', { prompt: question(step), model, stream }],
      ['/v1/chat/completions', { model, messages, stream }],
      ['/v1/messages', { model, messages, stream, max_tokens: 50 }],
    ],
    step.random(),
  ) ?? ['', {}]
  // Before it is sent: the id is the caller's from the request's arrival on.
  if (isOwn) step.who.add('request', requestId)
  await send(step, path, { body, headers: isOwn ? { 'x-request-id': requestId } : {} })
}

const resumable = async (step: Step): Promise<void> => {
  const body = { prompt: question(step), model: 'openai/shared', stream: true, cache: 'no-store' }
  const { headers } = await send(step, '/api/chat', { body, headers: { 'x-gateway-resume': 'true' } })
  step.who.add('stream', headers['x-gateway-stream-id'])
}

const answerOfResponses = async (step: Step): Promise<void> => {
  const answer = await send(step, '/v1/responses', {
    body: { model: 'openai-compatible/shared', input: question(step) },
  })
  step.who.add('response', parse(answer.text).id)
}

/** Continues a response by `previous_response_id` or `item_reference`: the words for an unknown id are OpenAI's. */
const continued = (name: string, status: number, body: (id: string) => object) => ({
  name,
  kind: 'response' as const,
  status,
  sent: (id: string) => ({
    path: '/v1/responses',
    body: { model: 'openai-compatible/shared', input: 'On', ...body(id) },
  }),
})

const job = async (step: Step): Promise<void> => {
  const item = (number: number) => ({
    id: `item-${number}`,
    prompt: number === 0 ? `${step.who.marker} fails` : question(step),
    model: number === 0 ? 'openai/failing' : 'openai/shared',
    fallback: false,
  })
  const body = { name: `${step.who.marker}`, items: [item(0), item(1)] }
  step.who.add('job', parse((await send(step, '/api/batch/jobs', { body })).text).id)
}

const lineOf = (step: Step, number: number) => ({
  custom_id: `${step.who.marker}-${number}`,
  method: 'POST',
  url: '/v1/chat/completions',
  body: { model: 'openai/shared', messages: [{ role: 'user', content: question(step) }] },
})

const file = async (step: Step): Promise<void> => {
  const content = `${JSON.stringify(lineOf(step, 1))}\n`
  const part = (name: string, value: string, more = '') =>
    `--tenant\r\ncontent-disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`
  const body = `${part('purpose', 'batch')}${part('file', content, `; filename="${step.who.marker}.jsonl"`)}--tenant--\r\n`
  const answer = await send(step, '/v1/files', {
    body,
    headers: { 'content-type': 'multipart/form-data; boundary=tenant' },
  })
  step.who.add('file', parse(answer.text).id)
}

const messageBatch = async (step: Step): Promise<void> => {
  const params = {
    model: 'openai/shared',
    max_tokens: 50,
    messages: [{ role: 'user', content: question(step) }],
  }
  const requests = [{ custom_id: `${step.who.marker}`, params }]
  step.who.add(
    'message-batch',
    parse((await send(step, '/v1/messages/batches', { body: { requests } })).text).id,
  )
}

const putValue = async (step: Step): Promise<void> => {
  const isShared = step.random() < 0.5
  const key = isShared ? `shared-${below(step, SHARED)}` : `${step.who.marker}-${below(step, 20)}`
  await send(step, `/api/kv/${key}`, { method: 'PUT', body: { of: step.who.marker } })
  if (!isShared) step.who.add('value', key)
}

const sharedValue = async (step: Step): Promise<void> => {
  const method = step.random() < 0.8 ? 'GET' : 'DELETE'
  await send(step, `/api/kv/shared-${below(step, SHARED)}`, { method })
}

/** Everyone uses the same keys, some of them with the same body: another's use must not show. */
const idempotent = async (step: Step): Promise<void> => {
  const { who, tenants } = step
  if (who.kind === 'anonymous') return
  const isShared = step.random() < 0.5
  const number = below(step, SHARED)
  const key = `${isShared ? 'same' : 'own'}-${number}`
  const prompt = isShared ? `Shared question ${number}` : `${who.marker} ${number}`
  const others = who.busy.get(key) ?? 0
  who.busy.set(key, others + 1)
  const begun = (who.begun.get(key) ?? 0) + 1
  who.begun.set(key, begun)
  const { status, text } = await send(step, '/api/chat', {
    body: { prompt, model: 'openai/shared', cache: 'no-store', stream: number % 3 === 0 },
    headers: { 'idempotency-key': key },
  })
  who.busy.set(key, (who.busy.get(key) ?? 1) - 1)
  // One that was sent later may have reached the other gateway sooner.
  const isAlone = others === 0 && who.begun.get(key) === begun
  if (status !== 200 && (status !== 409 || isAlone))
    tenants.faults.push(`Idempotency-Key ${key} of ${who.marker}: ${status} ${text}`)
}

const makeKey = async (step: Step): Promise<void> => {
  if (step.who.kind !== 'key' || step.who.idsOf('key').length > 40) return
  const body = { name: `${step.who.marker} made` }
  step.who.add('key', parse((await send(step, '/api/keys', { body })).text).id)
}

/** Lists of one's own, one after another's id or cursor among them. */
const list = async (step: Step): Promise<void> => {
  const { who, tenants } = step
  const other = oneOf(
    tenants.all.filter(one => one !== who),
    step.random(),
  )
  const after = (kind: Kind) => oneOf(other?.idsOf(kind) ?? [], step.random()) ?? 'none'
  const paths = [
    '/api/batch/jobs?limit=50',
    '/v1/files?limit=100',
    `/v1/files?after=${after('file')}`,
    '/v1/batches',
    `/v1/batches?after=${after('v1-batch')}`,
    '/v1/messages/batches',
    `/v1/messages/batches?after_id=${after('message-batch')}`,
    '/api/kv',
    '/api/requests?limit=50',
    '/api/usage?by=model,key,owner,day',
    '/api/usage?by=model&format=csv',
    ...(who.kind === 'key' ? ['/api/keys?limit=50', '/api/keys/self'] : []),
  ]
  await send(step, oneOf(paths, step.random()) ?? '')
}

type IdOperation = Readonly<{
  name: string
  kind: Kind
  /** Where the id is not the caller's: 404 when absent. */
  status?: number
  sent: (id: string) => Sent & { path: string }
  /** What becomes of an id of one's own. */
  onOwn?: (step: Step, id: string, answer: Answer) => void
  removes?: true
}>

const reads = (kind: Kind, path: (id: string) => string, more: Partial<IdOperation> = {}): IdOperation => ({
  name: `GET ${path(':id')}`,
  kind,
  sent: id => ({ path: path(id) }),
  ...more,
})
const changes = (
  method: string,
  kind: Kind,
  path: (id: string) => string,
  more: Partial<IdOperation> & { body?: object } = {},
): IdOperation => ({
  name: `${method} ${path(':id')}`,
  kind,
  sent: id => ({ path: path(id), method, ...(more.body && { body: more.body }) }),
  ...more,
})

const startedFrom: IdOperation = {
  name: 'POST /v1/batches',
  kind: 'file',
  status: 400,
  sent: id => ({
    path: '/v1/batches',
    body: { input_file_id: id, endpoint: '/v1/chat/completions', completion_window: '24h' },
  }),
  onOwn: ({ who }, _id, { text }) => who.add('v1-batch', parse(text).id),
}

const outputFiles = ({ who }: Step, _id: string, { text }: Answer): void => {
  const { output_file_id: output, error_file_id: errors } = parse(text)
  for (const id of [output, errors]) who.add('file', id)
}

/** One that still runs is not removed, and neither is the use of its id. */
const removeIfDone = ({ who }: Step, id: string, { status }: Answer): void => {
  if (status < 300) for (const kind of ['job', 'message-batch'] as const) who.remove(kind, id)
}

const ID_OPERATIONS: readonly IdOperation[] = [
  reads('stream', id => `/api/chat/${id}/stream`),
  changes('POST', 'stream', id => `/api/chat/${id}/stop`),
  reads('response', id => `/v1/responses/${id}`),
  reads('response', id => `/v1/responses/${id}/input_items`),
  changes('POST', 'response', id => `/v1/responses/${id}/cancel`),
  changes('DELETE', 'response', id => `/v1/responses/${id}`, { removes: true }),
  continued('previous_response_id', 400, id => ({ previous_response_id: id })),
  continued('item_reference', 404, id => ({ input: [{ type: 'item_reference', id }] })),
  reads('job', id => `/api/batch/jobs/${id}`),
  reads('job', id => `/api/batch/jobs/${id}/items/1`),
  reads('job', id => `/api/batch/jobs/${id}/results?format=jsonl`),
  reads('job', id => `/api/batch/jobs/${id}/results?format=csv`),
  reads('job', id => `/api/batch/jobs/${id}/events`),
  changes('POST', 'job', id => `/api/batch/jobs/${id}/cancel`),
  changes('POST', 'job', id => `/api/batch/jobs/${id}/retry`),
  changes('PATCH', 'job', id => `/api/batch/jobs/${id}`, { body: { priority: 'high' } }),
  changes('DELETE', 'job', id => `/api/batch/jobs/${id}`, { onOwn: removeIfDone }),
  reads('file', id => `/v1/files/${id}`),
  reads('file', id => `/v1/files/${id}/content`),
  changes('DELETE', 'file', id => `/v1/files/${id}`, { removes: true }),
  startedFrom,
  reads('v1-batch', id => `/v1/batches/${id}`, { onOwn: outputFiles }),
  changes('POST', 'v1-batch', id => `/v1/batches/${id}/cancel`),
  reads('message-batch', id => `/v1/messages/batches/${id}`),
  reads('message-batch', id => `/v1/messages/batches/${id}/results`),
  changes('POST', 'message-batch', id => `/v1/messages/batches/${id}/cancel`),
  changes('DELETE', 'message-batch', id => `/v1/messages/batches/${id}`, { onOwn: removeIfDone }),
  reads('value', id => `/api/kv/${id}`),
  changes('DELETE', 'value', id => `/api/kv/${id}`, { removes: true }),
  reads('request', id => `/api/requests/${id}`),
  reads('key', id => `/api/keys/${id}`),
  changes('PATCH', 'key', id => `/api/keys/${id}`, { body: { limits: { requestsPerMinute: 1_000 } } }),
  changes('POST', 'key', id => `/api/keys/${id}/rotate`, { body: {} }),
  changes('POST', 'key', id => `/api/keys/${id}/revoke`),
]

/** An id of the same form that does not exist. */
const unknownLike = (id: string, random: () => number): string =>
  id.replace(/[\da-f]{8,}|\d+$/g, digits =>
    [...digits]
      .map(() => Math.floor(random() * 10))
      .join('')
      .padEnd(9, '0'),
  )

const idOperation = async (step: Step): Promise<void> => {
  const { who, tenants, random } = step
  const operation = oneOf(ID_OPERATIONS, random())
  if (!operation || (operation.kind === 'key' && who.kind !== 'key')) return list(step)
  const { kind, name, sent, status = 404 } = operation
  const whose = random() < 0.5 ? 'own' : random() < 0.7 ? 'other' : 'unknown'
  const others = tenants.all.filter(one => one !== who).flatMap(one => one.idsOf(kind))
  const known = oneOf(whose === 'own' ? who.idsOf(kind) : others, random())
  if (known === undefined) return list(step)
  const id = whose === 'unknown' ? unknownLike(known, random) : known
  if (whose !== 'own' && who.has(kind, id)) return list(step)
  if (whose === 'own' && operation.removes) who.remove(kind, id)
  const { path, ...request } = sent(id)
  tenants.count(name, whose)
  const answer = await send(step, path, request)
  if (whose === 'own') operation.onOwn?.(step, id, answer)
  else if (!who.has(kind, id)) tenants.refused(name, who, id, answer, status)
}

type Operation = (step: Step) => Promise<void>

const OPERATIONS: readonly (readonly [weight: number, Operation])[] = [
  [18, chat],
  [4, resumable],
  [6, answerOfResponses],
  [1.5, job],
  [2, file],
  [1, messageBatch],
  [6, putValue],
  [6, sharedValue],
  [7, idempotent],
  [1, makeKey],
  [6, list],
  [45, idOperation],
]
const WHOLE = OPERATIONS.reduce((sum, [weight]) => sum + weight, 0)

/** Makes one of each object. */
export const makeOneOfEach = async (step: Step): Promise<void> => {
  for (const make of [resumable, answerOfResponses, job, file, messageBatch, makeKey]) await make(step)
}

export const randomOperation = async (step: Step): Promise<void> => {
  let at = step.random() * WHOLE
  for (const [weight, operation] of OPERATIONS) {
    at -= weight
    if (at < 0) return operation(step)
  }
}

const READS: readonly (readonly [Kind, (id: string) => string])[] = [
  ['response', id => `/v1/responses/${id}`],
  ['job', id => `/api/batch/jobs/${id}`],
  ['file', id => `/v1/files/${id}`],
  ['v1-batch', id => `/v1/batches/${id}`],
  ['message-batch', id => `/v1/messages/batches/${id}`],
  ['value', id => `/api/kv/${id}`],
  ['request', id => `/api/requests/${id}`],
  ['key', id => `/api/keys/${id}`],
]

/** Reads all that a tenant has not removed itself. Resolves to what is not there any more. */
export const missingOf = async (step: Step): Promise<readonly string[]> => {
  const missing: string[] = []
  for (const [kind, path] of READS)
    for (const id of step.who.idsOf(kind)) {
      const { status } = await send(step, path(id))
      if (status !== 200) missing.push(`${path(id)} of ${step.who.marker}: ${status}`)
    }
  return missing
}
