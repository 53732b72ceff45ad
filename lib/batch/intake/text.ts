import { createReadStream } from 'node:fs'
import { GatewayError } from '../../errors.ts'

const noText = (): GatewayError => new GatewayError('INVALID_INPUT', 'is not valid UTF-8')
const binary = (): GatewayError => new GatewayError('INVALID_INPUT', 'is binary: it holds a NUL character')

/**
 * A file as text, portion by portion, without a byte order mark.
 * @throws GatewayError INVALID_INPUT for bytes that are no UTF-8, and for NUL
 */
export async function* textOf(path: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let isFirst = true
  const decode = (bytes?: Uint8Array): string => {
    try {
      return bytes ? decoder.decode(bytes, { stream: true }) : decoder.decode()
    } catch {
      throw noText()
    }
  }
  for await (const bytes of createReadStream(path)) {
    const text = decode(bytes)
    if (text.includes('\0')) throw binary()
    if (text === '') continue
    yield isFirst && text.startsWith('\ufeff') ? text.slice(1) : text
    isFirst = false
  }
  decode()
}

/** A whole file; nothing where it has more than so many characters. */
export const wholeText = async (path: string, longest: number): Promise<string | undefined> => {
  let whole = ''
  for await (const text of textOf(path)) {
    whole += text
    if (whole.length > longest) return undefined
  }
  return whole
}
