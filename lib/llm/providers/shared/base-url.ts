/** Endpoints that people paste together with the base URL in front of them. */
const ENDPOINTS =
  /\/(?:chat\/completions|completions|messages|responses|embeddings|models|moderations|images\/\w+|audio\/\w+|rerank)$/

const isBelow = (path: string, parent: string): boolean => path === parent || path.startsWith(`${parent}/`)

/**
 * The URL of an endpoint below a configured base URL, which may have slashes or an endpoint at its end. A whole address
 * of the endpoint itself is taken as it is. Where the base URL has no path, or only the first part of the vendor's, the
 * vendor's is used. A query is kept.
 *
 * @param path of the endpoint below the base URL: `/chat/completions`
 * @param vendorPath the vendor's own path before it: `/openai/v1`
 * @throws TypeError where the base URL is none.
 */
export const endpointUrl = (baseUrl: string, path: string, vendorPath: string): URL => {
  const url = new URL(baseUrl)
  url.hash = ''
  const given = url.pathname.replace(/\/+$/, '')
  const pasted = ENDPOINTS.exec(given)?.[0] ?? path
  if (given.endsWith(path) && pasted === path) url.pathname = given
  else {
    const base = given.replace(ENDPOINTS, '').replace(/\/+$/, '')
    url.pathname = `${isBelow(vendorPath, base) ? vendorPath : base}${path}`
  }
  return url
}
