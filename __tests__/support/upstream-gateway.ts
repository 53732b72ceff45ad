import { FakeUpstream } from './fake-upstream.ts'
import { GatewayProcess, type HostName } from './gateway.ts'

/** A gateway, and the provider that it asks as `openai`. */
export type UpstreamGateway = Readonly<{ upstream: FakeUpstream; gateway: GatewayProcess }>

/**
 * Starts both, without rate limits.
 *
 * @param env more of the gateway's environment, for the provider's base URL
 */
export const startUpstreamGateway = async (
  host: HostName,
  env: (baseUrl: string) => Record<string, string> = () => ({}),
): Promise<UpstreamGateway> => {
  const upstream = await FakeUpstream.start()
  const gateway = await GatewayProcess.start(host, {
    OPENAI_API_KEY: 'sk-test',
    OPENAI_BASE_URL: upstream.baseUrl,
    ENABLE_RATE_LIMITING: 'false',
    ...env(upstream.baseUrl),
  })
  return { upstream, gateway }
}

/** Environment for the same upstream as `anthropic` too, each call to it sent once: nothing is cached, retried or cut off. */
export const asAnthropicToo = (baseUrl: string): Record<string, string> => ({
  ENABLE_CACHING: 'false',
  MAX_RETRIES: '0',
  BREAKER_FAILURES: '1000',
  ANTHROPIC_API_KEY: 'sk-ant-gateway',
  ANTHROPIC_BASE_URL: baseUrl,
})

/** Stops what has been started of them. */
export const stopUpstreamGateway = async ({ upstream, gateway }: Partial<UpstreamGateway>): Promise<void> => {
  await gateway?.stop()
  await upstream?.stop()
}
