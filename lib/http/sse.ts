import { type PacedBody, type PacedBodyOptions, pacedBody } from './paced-body.ts'
import type { Pieces } from './pieces.ts'

const PING = new TextEncoder().encode(': ping\n\n')

/** One event of a `text/event-stream`. */
export const sseEvent = (event: string, data: unknown): string =>
  `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`

/** `startWithPing`: it starts with a comment, since headers wait for a body's first byte, which may take long. */
export type EventStreamOptions = Omit<PacedBodyOptions, 'keepAlive'>

/** Events as a response body. Silence is filled with a comment every 15 s. */
export const eventStream = (frames: Pieces<string | Uint8Array>, options: EventStreamOptions): PacedBody =>
  pacedBody(frames, { ...options, keepAlive: PING })
