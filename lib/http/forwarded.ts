import { isIPv4, isIPv6 } from 'node:net'

/** A proxy's information about the request that it received. Absent members are undefined. */
export type Hop = Readonly<{
  /** IP address, without port, brackets and quotes; undefined also where none can be read (`unknown`, `_hidden`). */
  address?: string | undefined
  /** `http` or `https`, in lower case. */
  proto?: string | undefined
  /** The Host that the client sent. */
  host?: string | undefined
}>

type GetHeader = (name: string) => string | null

const QUOTED = /^"(.*)"$/s
/** A node of RFC 7239, 6: an address with an optional port, which may be an obfuscated one. */
const NODE = /^(?:\[([^\]]*)\]|([\d.]+))(?::(?:\d{1,5}|_[\w.-]+))?$/

const unquoted = (text: string): string => {
  const [, inner] = QUOTED.exec(text) ?? []
  return inner === undefined ? text : inner.replaceAll(/\\(.)/gs, '$1').trim()
}

/** The IP address of one entry of `X-Forwarded-For` or of a `for=`; undefined where there is none. */
export const addressOfNode = (entry: string): string | undefined => {
  const node = unquoted(entry.trim())
  if (isIPv6(node)) return node
  const [, bracketed, v4] = NODE.exec(node) ?? []
  if (v4 !== undefined) return isIPv4(v4) ? v4 : undefined
  const v6 = bracketed?.replace('%25', '%')
  return v6 !== undefined && isIPv6(v6) ? v6 : undefined
}

/**
 * The entry that the outermost trusted proxy wrote: each proxy appends one, and empty ones are ignored.
 * Where there are fewer entries than trusted proxies, the first, written by the outermost one in the path.
 */
const believed = (entries: readonly string[], hops: number): string | undefined => {
  const filled = entries.map(entry => entry.trim()).filter(entry => entry !== '')
  return filled.at(-hops) ?? filled[0]
}

const isEscaped = (text: string, index: number): boolean => {
  let backslashes = 0
  while (text[index - 1 - backslashes] === '\\') backslashes++
  return backslashes % 2 === 1
}

/**
 * Splits where the separator stands outside quotes, seen from the right: an unclosed quote in a client's part of the
 * header, left of what proxies append, cannot swallow their entries.
 */
const splitOutsideQuotes = (text: string, separator: string): string[] => {
  const parts: string[] = []
  let end = text.length
  let quoted = false
  for (let index = text.length - 1; index >= 0; index--) {
    if (text[index] === '"' && !isEscaped(text, index)) quoted = !quoted
    else if (text[index] === separator && !quoted) {
      parts.unshift(text.slice(index + 1, end))
      end = index
    }
  }
  return [text.slice(0, end), ...parts]
}

/** One element of `Forwarded`; undefined where a parameter is repeated or malformed. Source: RFC 7239, 4. */
const parseElement = (element: string): ReadonlyMap<string, string> => {
  const found = new Map<string, string>()
  for (const pair of splitOutsideQuotes(element, ';')) {
    if (pair.trim() === '') continue
    const equals = pair.indexOf('=')
    const name = pair.slice(0, equals).trim().toLowerCase()
    if (equals === -1 || found.has(name)) return new Map()
    found.set(name, unquoted(pair.slice(equals + 1).trim()))
  }
  return found
}

const NOTHING: Hop = {}

/**
 * The information of the outermost trusted proxy. For each member, `X-Forwarded-For`, `-Proto` and `-Host` take
 * precedence over `Forwarded` (RFC 7239). Lines of the same header count as one list.
 *
 * @param hops how many proxies are trusted; with 0 nothing is trusted
 */
export const believedHop = (get: GetHeader, hops: number): Hop => {
  if (hops === 0) return NOTHING
  const listed = (name: string) => believed(get(name)?.split(',') ?? [], hops)
  const forwarded = believed(splitOutsideQuotes(get('forwarded') ?? '', ','), hops)
  const element = forwarded === undefined ? undefined : parseElement(forwarded)
  const node = listed('x-forwarded-for') ?? element?.get('for')
  return {
    address: node === undefined ? undefined : addressOfNode(node),
    proto: (listed('x-forwarded-proto') ?? element?.get('proto'))?.toLowerCase(),
    host: listed('x-forwarded-host') ?? element?.get('host'),
  }
}
