import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GatewayProcess } from '../support/gateway.ts'
import { PostgresServer } from '../support/postgres.ts'
import { eventsIn } from '../support/responses-behaviour.ts'

let server: PostgresServer
let gateway: GatewayProcess
beforeAll(async () => {
  server = await PostgresServer.start()
  gateway = await GatewayProcess.start('native', {
    DATABASE_URL: await server.database(),
    ENABLE_RATE_LIMITING: 'false',
    ENABLE_CACHING: 'false',
  })
})
afterAll(async () => {
  await gateway?.stop()
  await server?.remove()
})

const post = (body: object) =>
  fetch(`${gateway.url}/v1/responses`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'mock/echo', ...body }),
  })
const notStored = () => gateway.log.filter(({ component }) => component === 'responses').length

describe('a database that fails while answers are to be stored', () => {
  it('loses no answer: it is sent, says that it is not stored, and the log says so', async () => {
    const { id } = (await (await post({ input: 'Hi' })).json()) as { id: string }
    expect((await fetch(`${gateway.url}/v1/responses/${id}`)).status).toBe(200)
    await server.down()

    const whole = await post({ input: 'Hi' })
    expect(whole.status).toBe(200)
    expect(whole.headers.get('x-gateway-stored')).toBe('false')
    expect(await whole.json()).toMatchObject({ status: 'completed', store: false })
    const last = eventsIn(await (await post({ input: 'Hi', stream: true })).text()).at(-1)
    expect(last).toMatchObject({ event: 'response.completed', data: { response: { store: false } } })
    await expect.poll(notStored).toBe(2)

    const continued = await post({ input: 'On', previous_response_id: id })
    expect(continued.status).toBe(503)
    expect(await continued.json()).toMatchObject({ error: { code: 'store_unavailable' } })
    expect((await post({ input: 'Hi', store: false })).headers.get('x-gateway-stored')).toBeNull()

    await server.up()
    await expect
      .poll(async () => (await post({ input: 'On', previous_response_id: id })).status, { timeout: 10_000 })
      .toBe(200)
  })
})
