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
    client.on('error', () => {}).resume()
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

  /** Lets time pass, and says whether the connection was closed meanwhile. */
  const isClosedWithin = async (seconds: number): Promise<boolean> => {
    await clock.advance(seconds * 1_000)
    return connection.destroyed
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

  it('is not waited for by a server that closes', async () => {
    client.destroy()
    await new Promise(resolve => server.close(resolve))
    expect(clock.pending).toBe(0)
  })
})
