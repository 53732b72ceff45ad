import { request } from 'node:http'
import type { Canaries } from './canaries.ts'

/** Everything that came back: status, headers and body as one text. */
export type Seen = Readonly<{ what: string; text: string }>

type Sent = Readonly<{
  method?: string
  headers?: Readonly<Record<string, string>>
  body?: string
  /** Leaves after the answer's first bytes. */
  leaves?: boolean
}>

/** Sends any request, invalid ones too, and resolves to all that came back. */
export const send = (
  url: string,
  path: string,
  { method = 'GET', headers = {}, body, leaves }: Sent = {},
): Promise<Seen> =>
  new Promise(resolve => {
    const { hostname, port } = new URL(url)
    const what = `${method} ${path}`
    const asked = request({ hostname, port, path, method, headers: { ...headers } }, response => {
      let text = `${response.statusCode} ${JSON.stringify(response.headers)} `
      const end = () => resolve({ what, text })
      response.setEncoding('latin1')
      response.on('data', (part: string) => {
        text += part
        if (leaves) asked.destroy()
      })
      response.on('close', end)
      response.on('error', end)
    })
    asked.on('error', error => resolve({ what, text: error.message }))
    asked.end(body)
  })

const JSON_TYPE = { 'content-type': 'application/json' }
const CHAT = JSON.stringify({ prompt: 'Hi', model: 'mock/echo' })

/** Headers in which a client may send a credential, good or bad. */
const HEADERS: readonly ((secret: string) => Record<string, string>)[] = [
  secret => ({ authorization: `Bearer ${secret}` }),
  secret => ({ authorization: `bearer  ${secret}` }),
  secret => ({ authorization: `Basic ${Buffer.from(`user:${secret}`).toString('base64')}` }),
  secret => ({ authorization: `Token token="${secret}"` }),
  secret => ({ authorization: secret }),
  secret => ({ authorization: `Bearer sk-${secret}` }),
  secret => ({ authorization: `Bearer pk_live_${secret}` }),
  secret => ({ 'x-api-key': secret }),
  secret => ({ 'api-key': secret }),
  secret => ({ 'x-api-key': secret, authorization: `Bearer ${secret}-other` }),
  secret => ({ 'x-goog-api-key': secret }),
  secret => ({ 'proxy-authorization': `Basic ${secret}` }),
  secret => ({ cookie: `parley_session=${secret}; parley_admin=${secret}; other=${secret}` }),
  secret => ({ cookie: `parley_admin=${'a'.repeat(24)}.admin.1999999999.${secret}` }),
  secret => ({ 'x-forwarded-for': `${secret}, 192.0.2.1` }),
  secret => ({ 'x-forwarded-host': `${secret}.example` }),
  secret => ({ 'x-forwarded-proto': secret }),
  secret => ({ forwarded: `for="${secret}";host=${secret}` }),
  secret => ({ 'idempotency-key': secret }),
  secret => ({ 'x-gateway-cache-tags': `a b,${secret}` }),
  secret => ({ referer: `https://example.com/?token=${secret}` }),
  secret => ({ 'user-agent': `agent/1.0 (key ${secret})` }),
  secret => ({ traceparent: secret, tracestate: `vendor=${secret}`, baggage: `key=${secret}` }),
  secret => ({ 'x-request-id': `{${secret}}` }),
  secret => ({ 'last-event-id': secret }),
  secret => ({ host: `${secret}.example` }),
  secret => ({ origin: `https://user:${secret}@example.com` }),
  secret => ({ 'content-type': `application/json; charset=${secret}` }),
  secret => ({ 'content-encoding': secret }),
  secret => ({ 'content-length': secret }),
]

/** Bodies that are refused, with a secret in a value. */
const BODIES: readonly ((secret: string) => unknown)[] = [
  secret => ({ prompt: 'Hi', model: 'mock/echo', apiKey: secret }),
  secret => ({ prompt: 7, model: 'mock/echo', metadata: { authorization: secret } }),
  secret => ({ prompt: 'Hi', model: 'mock/echo', temperature: secret }),
  secret => ({ prompt: 'Hi', model: 'mock/echo', maxTokens: secret, cache: secret, stream: secret }),
  secret => ({ model: 'mock/echo', messages: [{ role: secret, content: secret }] }),
  secret => ({ model: 'mock/echo', messages: secret }),
  secret => `{"prompt": "${secret}`,
  secret => `{"prompt": ${secret}}`,
  secret => `${secret} {"prompt": "Hi"}`,
  secret => `{"prompt": "Hi", "__proto__": {"key": "${secret}"}}`,
  secret => `{"prompt": "Hi", "prompt": "${secret}"}`,
  secret => `api_key=${secret}`,
  secret => ({ items: [{ prompt: 7, key: secret }], webhookUrl: `https://user:${secret}@example.com/` }),
  secret => ({ items: [{ prompt: 'Hi' }], webhook: { url: `http://127.0.0.1/${secret}`, key: secret } }),
  secret => ({ items: secret, priority: secret, scheduledFor: secret }),
  secret => ({ requests: [{ custom_id: 'a b', params: { key: secret } }] }),
  secret => ({
    input_file_id: 'file-1',
    endpoint: secret,
    completion_window: secret,
    metadata: { a: [secret] },
  }),
  secret => ({ name: 7, owner: { token: secret }, scopes: secret, limits: { concurrency: secret } }),
  secret => ({ day: secret, month: secret }),
]

const ROUTES: readonly (readonly [method: string, path: string])[] = [
  ['POST', '/api/chat'],
  ['POST', '/v1/chat/completions'],
  ['POST', '/v1/messages'],
  ['POST', '/v1/responses'],
  ['POST', '/v1/embeddings'],
  ['POST', '/v1/images/generations'],
  ['POST', '/v1/audio/transcriptions'],
  ['POST', '/api/batch/jobs'],
  ['POST', '/api/batch/upload'],
  ['POST', '/v1/batches'],
  ['POST', '/v1/messages/batches'],
  ['POST', '/v1/files'],
  ['POST', '/api/keys'],
  ['POST', '/api/admin/keys'],
  ['PUT', '/api/admin/budgets/all'],
  ['POST', '/api/admin/session'],
  ['DELETE', '/api/admin/cache'],
  ['GET', '/api/models'],
  ['GET', '/api/usage'],
  ['GET', '/api/admin/usage'],
  ['GET', '/api/requests/none'],
  ['GET', '/api/health'],
  ['GET', '/metrics'],
  ['GET', '/openapi.json'],
  ['GET', '/api/none'],
  ['GET', '/v1/none'],
  ['GET', '/none'],
  ['BREW', '/api/chat'],
]
const QUERIES = ['api_key', 'key', 'access_token', 'from', 'by', 'cursor', 'limit', 'format'] as const

/**
 * Sends `count` requests that carry a secret where none belongs, or one that is wrong, each another secret, and resolves
 * to what came back.
 */
export const sendSecrets = async (
  url: string,
  canaries: Canaries,
  count: number,
  random: () => number,
  admin: Readonly<Record<string, string>>,
): Promise<Seen[]> => {
  const seen: Seen[] = []
  const below = (most: number): number => Math.floor(random() * most)
  for (let number = 0; number < count; number += 1) {
    const [method = 'GET', path = '/'] = ROUTES[below(ROUTES.length)] ?? []
    const post = method === 'GET' ? {} : { body: CHAT, headers: JSON_TYPE }
    const plant = (where: string, plain = false) => canaries.plant(`${where} of ${method} ${path}`, { plain })
    const kind = number % 3
    if (kind === 0) {
      const header = HEADERS[number % HEADERS.length]?.(plant('a header')) ?? {}
      seen.push(await send(url, path, { ...post, method, headers: { ...post.headers, ...header } }))
    } else if (kind === 1) {
      const value = encodeURIComponent(plant('the query'))
      // Next's pages hold their own address, for their own reader.
      const place = path === '/none' ? '/v1/none' : path
      const query = `?${QUERIES[below(QUERIES.length)]}=${value}`
      const authorized: Record<string, string> = path.startsWith('/api/admin') ? { ...admin } : {}
      seen.push(
        await send(url, place + query, { ...post, method, headers: { ...post.headers, ...authorized } }),
      )
    } else {
      const body = BODIES[below(BODIES.length)]?.(plant('the body', true))
      const text = typeof body === 'string' ? body : JSON.stringify(body)
      const [way = 'POST', target = '/api/chat'] = ROUTES.filter(([one]) => one !== 'GET')[below(17)] ?? []
      const headers = { ...JSON_TYPE, ...(target.startsWith('/api/admin') && admin) }
      seen.push(await send(url, target, { method: way, headers, body: text }))
    }
  }
  return seen
}
