import { prefetched } from '../llm/events.ts'
import { type PacedBodyOptions, pacedBody } from './paced-body.ts'
import type { RouteResponse } from './route-response.ts'

export type DownloadOptions = Pick<PacedBodyOptions, 'clock' | 'abort'> &
  Readonly<{
    /** Its content type. */
    type: string
    /** Letters, digits, dots, dashes and underscores. */
    fileName: string
  }>

/** Bytes of one write: few enough for a slow client to take within its time limit. */
const PORTION = 16_384
const encoder = new TextEncoder()

const isHighSurrogate = (code: number): boolean => code >= 0xd800 && code <= 0xdbff

/** The part of a line that can fill a portion: otherwise the whole rest of a long line would be scanned for each. */
const part = (line: string, at: number): string => {
  const end = at + PORTION
  const splitsCharacter = end < line.length && isHighSurrogate(line.charCodeAt(end - 1))
  return line.slice(at, splitsCharacter ? end - 1 : end)
}

/** Text as bytes, in portions that end between characters. */
async function* portions(lines: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  let portion = new Uint8Array(PORTION)
  let filled = 0
  for await (const line of lines)
    for (let at = 0; at < line.length; ) {
      const { read, written } = encoder.encodeInto(part(line, at), portion.subarray(filled))
      at += read
      filled += written
      if (at === line.length) break
      yield portion.subarray(0, filled)
      portion = new Uint8Array(PORTION)
      filled = 0
    }
  if (filled > 0) yield portion.subarray(0, filled)
}

/**
 * A download, written as fast as it is read, and never whole in memory. Rejects with the error of its lines where that
 * comes within the first portion; later, the connection is cut.
 */
export const download = async (
  lines: AsyncIterable<string>,
  { type, fileName, ...options }: DownloadOptions,
): Promise<RouteResponse> => ({
  ...pacedBody(await prefetched(portions(lines)), options),
  headers: { 'content-type': type, 'content-disposition': `attachment; filename="${fileName}"` },
})
