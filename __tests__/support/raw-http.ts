import { createConnection, type Socket } from 'node:net'

/** One response as it came over the wire. */
export type RawResponse = Readonly<{ status: number; headers: Headers; body: string }>

/** Sends bytes as they are, and returns what came back until the connection was closed. */
export const exchange = async (url: string, ...parts: readonly (string | Uint8Array)[]): Promise<string> => {
  const socket: Socket = createConnection(Number(new URL(url).port), '127.0.0.1')
  let answer = ''
  socket.setEncoding('latin1')
  socket.on('data', data => {
    answer += data
  })
  socket.on('error', () => {})
  for (const part of parts) socket.write(part)
  await new Promise(resolve => socket.once('close', resolve))
  return answer
}

const bodyOf = (rest: string, headers: Headers): string => {
  const length = headers.get('content-length')
  if (length !== null) return rest.slice(0, Number(length))
  if (headers.get('transfer-encoding') !== 'chunked') return rest
  return rest
    .replace(/^[\da-f]+\r\n/i, '')
    .replace(/\r\n0\r\n\r\n$/, '')
    .replace(/\r\n[\da-f]+\r\n/gi, '')
}

/** The first response in an exchange; those with 100 Continue are passed over. */
export const firstResponse = (answer: string): RawResponse => {
  const start = answer.startsWith('HTTP/1.1 100') ? answer.indexOf('\r\n\r\n') + 4 : 0
  const end = answer.indexOf('\r\n\r\n', start)
  const [line = '', ...lines] = answer.slice(start, end).split('\r\n')
  const headers = new Headers(
    lines.map((header): [string, string] => {
      const colon = header.indexOf(':')
      return [header.slice(0, colon), header.slice(colon + 1).trim()]
    }),
  )
  return {
    status: Number(line.split(' ')[1]),
    headers,
    body: bodyOf(answer.slice(end + 4), headers),
  }
}
