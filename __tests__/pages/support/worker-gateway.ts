import { test as base } from '@playwright/test'
import { FakeService } from '../../support/fake-service.ts'
import { FakeUpstream } from '../../support/fake-upstream.ts'
import { GatewayProcess } from '../../support/gateway.ts'
import { withAdminGateway } from './admin-gateway.ts'

/** The model of a question that names none. Its price is in the catalog. */
export const MODEL = 'gpt-4o-mini'

export type WorkerGateway = Readonly<{ url: string; restart: () => Promise<void> }>

/**
 * A provider and a gateway for one worker of Playwright, started by the first test that asks for them. A worker runs
 * one test at a time, and each test's browser context is a guest of its own: tests see nothing of each other's work.
 * All are defined here: tests with further fixtures of this kind need a worker, and a browser, of their own.
 */
type Workers = {
  upstream: FakeUpstream
  service: FakeService
  workerGateway: WorkerGateway
  /** The address of a gateway with an admin API, whose provider answers at length. */
  adminGateway: string
}

export const test = base.extend<object, Workers>({
  upstream: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright wants to see that nothing is asked for
    async ({}, use) => {
      const upstream = await FakeUpstream.start()
      await use(upstream)
      await upstream.stop()
    },
    { scope: 'worker' },
  ],
  /** The services of the gateway's tools. */
  service: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright wants to see that nothing is asked for
    async ({}, use) => {
      const service = await FakeService.start()
      await use(service)
      await service.stop()
    },
    { scope: 'worker' },
  ],
  workerGateway: [
    async ({ upstream, service }, use) => {
      const env = {
        ENABLE_CONSOLE: 'true',
        OPENAI_API_KEY: 'sk-fake',
        OPENAI_BASE_URL: upstream.baseUrl,
        OPEN_METEO_BASE_URL: service.url,
        DEFAULT_MODEL: MODEL,
        BATCH_CONCURRENCY: '10',
        RATE_LIMIT_API: '10000/1m',
        RATE_LIMIT_GUEST: '10000/1m',
        RATE_LIMIT_ANONYMOUS: '10000/1m',
        RATE_LIMIT_UPLOAD: '10000/1m',
        LOG_LEVEL: 'error',
      }
      let running = await GatewayProcess.start('native', env)
      const { port } = new URL(running.url)
      const restart = async () => {
        await running.stop()
        running = await GatewayProcess.start('native', env, { port: Number(port) })
      }
      await use({ url: `http://localhost:${port}`, restart })
      await running.stop()
    },
    { scope: 'worker' },
  ],
  adminGateway: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright wants to see that nothing is asked for
    async ({}, use) => withAdminGateway(MODEL, use),
    { scope: 'worker' },
  ],
})
