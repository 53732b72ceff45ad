/** The target of a request. Source: RFC 9112, 3.2. */
export type RequestTarget =
  /** A normalized path with its query; `authority` where the target names it. */
  | Readonly<{ kind: 'path'; url: string; authority?: string }>
  /** `*`: the server itself. */
  | Readonly<{ kind: 'server' }>
  | Readonly<{ kind: 'invalid' }>

/** Paths that are already normalized; nearly all are. */
const NORMAL = /^(?:\/|(?:\/[\w~:@-][\w.~:@-]*)+)(?:\?[^#]*)?$/
const ABSOLUTE = /^https?:\/\/([^/?#@\s]+)([^\s]*)$/i
const API = /^\/(?:api|v1)(?:\/|$)|^\/metrics$/

/** Whether a path belongs to the API; all others are pages. */
export const isApiPath = (path: string): boolean => API.test(path)

/** The path of a URL without its query. */
export const pathOf = (url = '/'): string => {
  const query = url.indexOf('?')
  return query === -1 ? url : url.slice(0, query)
}

/** Resolves `.` and `..`, also percent-encoded, as every URL parser does, and drops empty segments. */
const resolved = (path: string): string => {
  const kept: string[] = []
  for (const segment of path.split('/')) {
    const plain = segment.replaceAll(/%2e/gi, '.')
    if (plain === '..') kept.pop()
    else if (plain !== '.' && plain !== '') kept.push(segment)
  }
  const isFolder = /(?:^|\/)(?:\.|%2e){0,2}$/i.test(path)
  return `/${kept.join('/')}${isFolder && kept.length > 0 ? '/' : ''}`
}

/** Whether percent-encoded bytes are UTF-8 text. */
const isReadable = (path: string): boolean => {
  try {
    decodeURIComponent(path)
    return true
  } catch {
    return false
  }
}

const normalized = (rest: string, authority?: string): RequestTarget => {
  const [whole = ''] = rest.split('#', 1)
  // URL parsers take a backslash for a slash, routers do not.
  const path = resolved(pathOf(whole).replaceAll('\\', '%5C'))
  if (!isReadable(path)) return { kind: 'invalid' }
  const isApiFolder = path.length > 1 && path.endsWith('/') && isApiPath(path)
  const url = `${isApiFolder ? path.slice(0, -1) : path}${whole.slice(pathOf(whole).length)}`
  return authority === undefined ? { kind: 'path', url } : { kind: 'path', url, authority }
}

/**
 * Reads a request line's target. Repeated slashes, dot segments and absolute-form are resolved, and a slash at the
 * end of an API path is dropped, so that proxy, router and handler see the same path.
 */
export const requestTarget = (raw = '/'): RequestTarget => {
  if (NORMAL.test(raw)) return { kind: 'path', url: raw }
  if (raw === '*') return { kind: 'server' }
  if (raw.startsWith('/')) return normalized(raw)
  const [, authority, rest = ''] = ABSOLUTE.exec(raw) ?? []
  if (authority === undefined) return { kind: 'invalid' }
  return normalized(rest.startsWith('/') ? rest : `/${rest}`, authority)
}
