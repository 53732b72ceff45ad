import { createConnection, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FaultScene } from '../support/fault-scene.ts'
import { leastDisturbed } from '../support/loop-delays.ts'

describe('clients that are slow to ask', () => {
  const HEADERS_TIMEOUT_MS = 15_000
  let connected = 0
  let scene: FaultScene

  beforeAll(async () => {
    scene = await FaultScene.start()
  })
  afterAll(() => scene?.stop())

  const drip = (port: number): { closed: Promise<number>; socket: Socket } => {
    const startedAt = performance.now()
    const socket = createConnection(port, '127.0.0.1')
    socket.on('error', () => {})
    socket.once('connect', () => {
      connected += 1
    })
    socket.write('POST /api/chat HTTP/1.1\r\nhost: localhost\r\n')
    const timer = setInterval(() => void socket.write('a'), 1_000)
    const closed = new Promise<number>(resolve =>
      socket.once('close', () => {
        clearInterval(timer)
        resolve(performance.now() - startedAt)
      }),
    )
    socket.resume()
    return { closed, socket }
  }

  const servesBesideSlowOnes = async (): Promise<void> => {
    connected = 0
    const { port } = new URL(scene.gateway.url)
    const slow = Array.from({ length: 500 }, () => drip(Number(port)))
    await expect.poll(() => connected, { timeout: 10_000 }).toBe(500)
    for (let asked = 0; asked < 20; asked += 1)
      expect((await scene.endures('openai/any', asked % 2 === 0)).status).toBe(200)
    const lasted = await Promise.all(slow.map(({ closed }) => closed))
    expect(Math.min(...lasted)).toBeGreaterThan(HEADERS_TIMEOUT_MS - 1_000)
    expect(Math.max(...lasted)).toBeLessThan(HEADERS_TIMEOUT_MS + 10_000)
    // The bound of a machine of its own: five hundred that are slow are little work.
    const delays = await scene.gateway.loopDelays()
    delays.expectBelow(50)
    await scene.expectRest()
  }

  it('F35: are cut off when their headers take more than 15 s, and others are served meanwhile', () =>
    leastDisturbed(servesBesideSlowOnes))
})
