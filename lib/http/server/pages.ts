import type { IncomingMessage, ServerResponse } from 'node:http'
import { GatewayError } from '../../errors.ts'
import { apiHeaders } from '../security-headers.ts'
import { readBuiltFiles } from './built-files.ts'
import { compressResponse } from './compression.ts'
import { refuse } from './refuse.ts'
import { pathOf, screenPage } from './screen.ts'
import { sendFile } from './send-file.ts'

export type NodeHandler = (request: IncomingMessage, response: ServerResponse) => unknown

/** Pages rendered at the same time; each holds about a megabyte. Files are only copied. */
const MOST_PAGES = 64
const MOST_FILES = 1_000
/** A client that takes nothing for so long is disconnected, so that it cannot occupy a slot for ever. */
const WRITE_STALL_MS = 60_000

const STATIC = '/_next/static/'

/** Headers of responses that set none themselves: redirects, files, 404s and the server's own error pages. */
const HEADERS = new Map(
  Object.entries({
    ...apiHeaders(),
    'cross-origin-resource-policy': 'same-origin',
  }).filter(([name]) => name !== 'cache-control'),
)

class PageSlots {
  readonly #most: number
  #taken = 0

  constructor(most: number) {
    this.#most = most
  }

  /** @returns whether a slot was free. It is released when the response has closed and the work has ended. */
  take(response: ServerResponse, work: () => unknown): boolean {
    if (this.#taken >= this.#most) return false
    this.#taken += 1
    const closed = new Promise<void>(resolve => response.once('close', resolve))
    void Promise.allSettled([closed, work()]).then(() => {
      this.#taken -= 1
    })
    return true
  }
}

/**
 * Wraps the pages' handler: serves the files of the build itself, compresses pages, only GET and HEAD, security headers also where the handler sets none, and at most 64 pages
 * (1,000 files) at the same time; beyond that 503.
 *
 * @param build Next's folder, `.next`; absent where there are no pages
 */
export const guardPages = (
  build?: string,
): ((request: IncomingMessage, response: ServerResponse, work: () => unknown) => void) => {
  const pages = new PageSlots(MOST_PAGES)
  const files = new PageSlots(MOST_FILES)
  const builtFiles = build === undefined ? undefined : readBuiltFiles(build)
  const served = (request: IncomingMessage, response: ServerResponse, work: () => unknown): boolean => {
    const path = pathOf(request.url)
    const file = builtFiles?.get(path)
    if (build !== undefined && file)
      return files.take(response, () => sendFile(request, response, build, file))
    if (path.startsWith(STATIC)) return files.take(response, work)
    return pages.take(response, () => {
      compressResponse(request, response)
      return work()
    })
  }
  return (request, response, work) => {
    if (screenPage(request, response)) return
    response.setHeaders(HEADERS)
    response.setTimeout(WRITE_STALL_MS)
    if (served(request, response, work)) return
    const error = new GatewayError('RATE_LIMITED', 'Too many pages are being opened at once; please wait.')
    refuse(request, response, error, { status: 503 })
  }
}
