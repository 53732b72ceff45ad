import type { IncomingMessage, ServerResponse } from 'node:http'

const waiting = new WeakSet<IncomingMessage>()

/** Whether a client waits for `100 Continue` and has not received it. */
export const holdsBodyBack = (request: IncomingMessage): boolean => waiting.has(request)

/**
 * Answers `Expect: 100-continue` as soon as the body is read, so that a refused request costs no upload. Without it the
 * client may or may not have sent its body: then the connection closes. Source: RFC 9110, 10.1.1.
 */
export const continueWhenRead = (request: IncomingMessage, response: ServerResponse): void => {
  waiting.add(request)
  response.setHeader('connection', 'close')
  const onListener = (event: string | symbol) => {
    if (event !== 'data' && event !== 'readable') return
    request.off('newListener', onListener)
    waiting.delete(request)
    if (response.headersSent) return
    response.removeHeader('connection')
    response.writeContinue()
  }
  request.on('newListener', onListener)
}
