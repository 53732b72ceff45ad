import { SseParser } from '#lib/sse-parser.ts'

/** Posts to /api/chat; `body` is sent as it is where it is text or bytes. */
export const post = (
  url: string,
  body: unknown,
  { headers = {}, signal }: { headers?: Record<string, string>; signal?: AbortSignal } = {},
): Promise<Response> =>
  fetch(`${url}/api/chat`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' || body instanceof Uint8Array ? (body as BodyInit) : JSON.stringify(body),
    ...(signal && { signal }),
  })

// biome-ignore lint/suspicious/noExplicitAny: a test reads answers of any shape, and asserts it
export type Json = any

export const json = async (response: Response): Promise<Json> => response.json()

export type ChatEvent = Readonly<{ event: string; data: Json }>

/** All events of a streamed answer. */
export const events = async (response: Response): Promise<ChatEvent[]> => {
  const parser = new SseParser()
  const found: ChatEvent[] = []
  for await (const bytes of response.body ?? []) {
    for (const { event, data } of parser.push(bytes)) found.push({ event, data: JSON.parse(data) })
  }
  return found
}

/** The text that the deltas of a stream make together. */
export const textOf = (found: readonly ChatEvent[]): string =>
  found
    .filter(({ event }) => event === 'delta')
    .map(({ data }) => data.text)
    .join('')
