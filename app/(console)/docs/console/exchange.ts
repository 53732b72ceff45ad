import { unreachable } from '../../gateway/failure.ts'
import { type Draft, fieldsIn, hasBody, headersIn } from './draft.ts'

/** What has come of a request. */
export type Exchange =
  | { state: 'none' }
  | { state: 'waiting' }
  | ({ state: 'receiving' | 'done' | 'stopped' | 'broken'; tookMs: number } & Head & { body: string })
  | { state: 'failed'; reason: string }

type Head = { status: number; statusText: string; headers: [string, string][] }

export type Sending = {
  draft: Draft
  key: string
  file: File | undefined
  fileField: string | undefined
  signal: AbortSignal
}

/** Longer bodies are cut in the view. */
const MOST_SHOWN = 200_000
const TEXT = /^text\/|json|xml|javascript/

/** Sends a request and reports each state, the body as it arrives. Never rejects. */
export async function exchange(sending: Sending, onChange: (exchange: Exchange) => void): Promise<void> {
  const startedAt = performance.now()
  const { signal } = sending
  onChange({ state: 'waiting' })
  const response = await send(sending).catch((error: unknown) => reasonOf(error, signal))
  if (typeof response === 'string') return onChange({ state: 'failed', reason: response })
  const { status, statusText } = response
  const head = { status, statusText, headers: [...response.headers] }
  const report = (state: 'receiving' | 'done' | 'stopped' | 'broken', body: string) =>
    onChange({ state, ...head, body, tookMs: Math.round(performance.now() - startedAt) })
  const isText = TEXT.test(response.headers.get('content-type') ?? 'text/plain')
  let body = ''
  try {
    for await (const text of isText ? textsOf(response) : sizesOf(response)) {
      body = isText ? (body + text).slice(0, MOST_SHOWN) : text
      report('receiving', body)
    }
    report('done', indented(body))
  } catch {
    report(signal.aborted ? 'stopped' : 'broken', body)
  }
}

/** A fault of the request as it was written, with a message for its writer. */
class DraftFault extends Error {}

/** Why there was no response. The browser's own words say nothing to a user. */
function reasonOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return 'Stopped before a response arrived.'
  return error instanceof DraftFault ? error.message : unreachable(navigator.onLine).message
}

async function send({ draft, key, file, fileField, signal }: Sending): Promise<Response> {
  const headers = headersOf(draft, key)
  const url = URL.parse(draft.path, location.origin)
  if (url?.origin !== location.origin)
    throw new DraftFault('Enter a path on this gateway, such as /api/models.')
  return fetch(url, { method: draft.method, headers, signal, ...bodyOf(draft, file, fileField) })
}

/** @throws DraftFault for a header that browsers do not send */
function headersOf(draft: Draft, key: string): Headers {
  const headers = new Headers()
  for (const [name, value] of headersIn(draft.headers)) writing(name, () => headers.append(name, value))
  if (key) writing('authorization', () => headers.set('authorization', `Bearer ${key}`))
  return headers
}

function writing(name: string, write: () => void): void {
  try {
    write()
  } catch {
    throw new DraftFault(`The header “${name}” can’t be sent: check the characters of its name and value.`)
  }
}

function bodyOf(draft: Draft, file: File | undefined, fileField: string | undefined): { body?: BodyInit } {
  if (!fileField) return hasBody(draft) ? { body: draft.body } : {}
  const form = new FormData()
  for (const [name, value] of fieldsIn(draft.body)) form.append(name, value)
  if (file) form.append(fileField, file)
  return { body: form }
}

async function* textsOf({ body }: Response): AsyncGenerator<string> {
  const reader = body?.pipeThrough(new TextDecoderStream()).getReader()
  for (;;) {
    const part = await reader?.read()
    if (!part || part.done) return
    yield part.value
  }
}

/** What a binary body is shown as. */
async function* sizesOf(response: Response): AsyncGenerator<string> {
  const { size, type } = await response.blob()
  yield `${size.toLocaleString('en')} bytes of ${type}`
}

function indented(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), undefined, 2)
  } catch {
    return body
  }
}
