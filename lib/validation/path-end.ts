import { GatewayError } from '../errors.ts'

/**
 * The end of a request's path after `folder`, percent-decoded once. Next decodes the parameters of a path and the native
 * server does not: neither decodes the path itself.
 *
 * @throws GatewayError INVALID_INPUT where it is not percent-encoded UTF-8 text
 */
export const pathEnd = ({ url }: Pick<Request, 'url'>, folder: string): string => {
  const { pathname } = new URL(url)
  try {
    return decodeURIComponent(pathname.slice(pathname.indexOf(folder) + folder.length))
  } catch {
    throw new GatewayError('INVALID_INPUT', 'The path must be percent-encoded UTF-8 text.')
  }
}
