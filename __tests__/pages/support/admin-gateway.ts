import { FakeUpstream } from '../../support/fake-upstream.ts'
import { GatewayProcess } from '../../support/gateway.ts'
import { type Behaviour, completion } from '../../support/upstream-behaviour.ts'

export const ADMIN_TOKEN = 'the-token-of-the-admin'

/** Each answer costs $0.021: 100,000 tokens in at $0.15 a million, and 10,000 out at $0.60. */
const answersAtLength: Behaviour = (response, { model }) => {
  const usage = { prompt_tokens: 100_000, completion_tokens: 10_000, total_tokens: 110_000 }
  response
    .writeHead(200, { 'content-type': 'application/json' })
    .end(JSON.stringify({ ...completion(model, 'Hello'), usage }))
}

/** Runs a gateway with an admin API while `use` uses it, under this address. */
export async function withAdminGateway(model: string, use: (url: string) => Promise<void>): Promise<void> {
  const upstream = (await FakeUpstream.start()).usually(answersAtLength)
  const gateway = await GatewayProcess.start('native', {
    ENABLE_CONSOLE: 'true',
    ADMIN_TOKEN,
    TRUSTED_PROXY_HOPS: '1',
    OPENAI_API_KEY: 'sk-fake',
    OPENAI_BASE_URL: upstream.baseUrl,
    DEFAULT_MODEL: model,
    RATE_LIMIT_API: '10000/1m',
    LOG_LEVEL: 'error',
  })
  await use(`http://localhost:${new URL(gateway.url).port}`)
  await gateway.stop()
  await upstream.stop()
}
