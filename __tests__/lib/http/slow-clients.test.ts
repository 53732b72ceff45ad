import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { rememberResponse } from '#lib/http/server/connections.ts'
import { limitSlowClients } from '#lib/http/server/slow-clients.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const HEAD = 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\n'
const GET = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n'

describe('the time that a client has to send a request', () => {
  let clock: FakeClock
  let server: Server
  let client: Socket
  /** The server's end of the client's connection. */
  let connection: Socket
  let received: string
  let respond: (request: IncomingMessage, response: ServerResponse) => void

  beforeEach(async () => {
    clock = new FakeClock()
    respond = (_, response) => response.end('ok')
    server = createServer((request, response) => {
      rememberResponse(response)
      request.resume()
      respond(request, response)
    })
    limitSlowClients(server, clock)
    await once(server.listen(0, '127.0.0.1'), 'listening')
    client = connect((server.address() as AddressInfo).port, '127.0.0.1')
    received = ''
    client
      .on('error', () => {})
      .on('data', bytes => {
        received += bytes
      })
    ;[connection] = await once(server, 'connection')
  })

  afterEach(() => {
    client.destroy()
    server.close()
  })

  const send = async (text: string): Promise<void> => {
    const before = connection.bytesRead
    client.write(text)
    await expect.poll(() => connection.bytesRead).toBe(before + text.length)
  }

  const request = async (text: string): Promise<void> => {
    const arrived = once(server, 'request')
    client.write(text)
    await arrived
  }

  /** Lets time pass, and says whether the connection was closed meanwhile: no more is sent on it. */
  const isClosedWithin = async (seconds: number): Promise<boolean> => {
    await clock.advance(seconds * 1_000)
    return connection.destroyed || connection.writableEnded
  }

  /** The refusal that the client gets. */
  const refusal = async () => {
    await expect.poll(() => received).toMatch(/\}$/)
    const [head = '', body = ''] = received.split('\r\n\r\n')
    return { head: head.toLowerCase(), body: JSON.parse(body) }
  }

  it('is 15 s for headers that come byte by byte', async () => {
    await send('POST / HTTP/1.1\r\n')
    expect(await isClosedWithin(8)).toBe(false)
    await send('a')
    expect(await isClosedWithin(7)).toBe(false)
    expect(await isClosedWithin(1)).toBe(true)
  })

  it('is 15 s where nothing is sent at all', async () => {
    expect(await isClosedWithin(15)).toBe(false)
    expect(await isClosedWithin(1)).toBe(true)
  })

  it('is 60 s for a body of which little comes', async () => {
    respond = () => {}
    await request(HEAD)
    expect(await isClosedWithin(59)).toBe(false)
    await send('a')
    expect(await isClosedWithin(3)).toBe(true)
  })

  it('grows by one second for every 16,000 bytes of a body', async () => {
    respond = () => {}
    await request(HEAD)
    await clock.advance(1_000)
    await send('a'.repeat(320_000))
    expect(await isClosedWithin(79)).toBe(false)
    expect(await isClosedWithin(3)).toBe(true)
  })

  it('does not count the time that a response takes', async () => {
    respond = () => {}
    await request(GET)
    expect(await isClosedWithin(600)).toBe(false)
  })

  it('begins anew with each request of a connection, however often it is idle between them', async () => {
    for (let round = 0; round < 4; round += 1) {
      await request(GET)
      expect(await isClosedWithin(round % 2 === 0 ? 0.4 : 20)).toBe(false)
    }
    await send('GET / HT')
    expect(await isClosedWithin(15)).toBe(false)
    expect(await isClosedWithin(2)).toBe(true)
  })

  it('is said to be over where the headers have begun to arrive', async () => {
    await send('POST / HTTP/1.1\r\n')
    expect(await isClosedWithin(16)).toBe(true)
    const { head, body } = await refusal()
    expect(head).toMatch(/^http\/1\.1 408 request timeout\r\n/)
    expect(head).toContain('\r\nconnection: close')
    expect(body.error).toMatchObject({ code: 'TIMEOUT', requestId: expect.any(String) })
    expect(head).toContain(`\r\nx-request-id: ${body.error.requestId}`)
    await clock.advance(1_000)
    expect(connection.destroyed).toBe(true)
  })

  it('is said to be over for the second request of a connection', async () => {
    await request(GET)
    await expect.poll(() => received).toContain('ok')
    await clock.advance(1_000)
    received = ''
    await send('GET / HT')
    expect(await isClosedWithin(17)).toBe(true)
    expect((await refusal()).head).toContain(' 408 ')
  })

  it.each([
    ['/api/chat', { code: 'TIMEOUT', requestId: 'mine' }],
    ['/v1/chat/completions', { code: 'timeout', param: null }],
  ])('is said to be over where a body does not come, in the form of %s', async (path, error) => {
    respond = () => {}
    await request(`POST ${path} HTTP/1.1\r\nhost: a\r\nx-request-id: mine\r\ncontent-length: 9\r\n\r\n`)
    expect(await isClosedWithin(62)).toBe(true)
    const { head, body } = await refusal()
    expect(head).toContain(' 408 ')
    expect(head).toContain('\r\nx-request-id: mine')
    expect(body.error).toMatchObject(error)
  })

  it('ends without a word where nothing was sent', async () => {
    const closed = once(client, 'close')
    expect(await isClosedWithin(16)).toBe(true)
    await closed
    expect(received).toBe('')
  })

  it('ends without a further word where a response has begun', async () => {
    respond = (_, response) => void response.write('begun')
    await request(HEAD)
    await expect.poll(() => received).toContain('begun')
    const closed = once(client, 'close')
    expect(await isClosedWithin(62)).toBe(true)
    await closed
    expect(received).not.toContain('408')
  })

  it('ends without a word where an earlier response is under way', async () => {
    respond = () => {}
    await request(GET)
    await request(HEAD)
    const closed = once(client, 'close')
    expect(await isClosedWithin(62)).toBe(true)
    await closed
    expect(received).toBe('')
  })

  it('is not waited for by a server that closes', async () => {
    client.destroy()
    await new Promise(resolve => server.close(resolve))
    expect(clock.pending).toBe(0)
  })
})
