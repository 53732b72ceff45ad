import { GatewayError } from '../errors.ts'

/** The handler of every method of a path that an API of OpenAI's or Anthropic's does not have. Rejects with NOT_FOUND. */
export const unknownUrl = async ({ request }: Readonly<{ request: Request }>): Promise<never> => {
  const { pathname } = new URL(request.url)
  throw new GatewayError('NOT_FOUND', `Unknown request URL: ${request.method} ${pathname}.`)
}
