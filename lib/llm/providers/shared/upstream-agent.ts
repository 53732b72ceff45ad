import { Agent, Dispatcher, EnvHttpProxyAgent, Pool } from 'undici'

const CONNECT_TIMEOUT_MS = 3_000

/** Forward proxies for http and https addresses, and the hosts that are called directly, separated by commas. */
export type Proxies = Readonly<{
  http?: string | undefined
  https?: string | undefined
  noProxy?: string | undefined
}>

/** A proxy that accepts a connection and stays silent times out like an upstream that accepts none. */
const proxyClient = (origin: URL, options: object): Dispatcher =>
  new Pool(origin, { ...options, headersTimeout: CONNECT_TIMEOUT_MS })

/**
 * A pool that does not report its connections to the agent: at the end of each one the agent would scan all the others,
 * to close a pool without any.
 */
const poolOf = (origin: string | URL, options: object): Dispatcher => {
  const pool = new Pool(origin, options)
  return Object.assign(new Dispatcher(), {
    dispatch: pool.dispatch.bind(pool),
    close: pool.close.bind(pool),
    destroy: pool.destroy.bind(pool),
  })
}

/**
 * One pool of kept-alive connections for all upstreams. Time limits between the first and the last byte are
 * the pipeline's (`timeout`), so undici's own are off.
 *
 * @param proxies are used for calls where one is set; https ones go through `http` where `https` is absent. Loopback
 * addresses are no exception: `noProxy` names those.
 */
export const upstreamAgent = ({ http, https, noProxy }: Proxies = {}): Dispatcher => {
  const limits = { connect: { timeout: CONNECT_TIMEOUT_MS }, headersTimeout: 0, bodyTimeout: 0 }
  if (http === undefined && https === undefined) return new Agent({ ...limits, factory: poolOf })
  return new EnvHttpProxyAgent({
    ...limits,
    // Empty, they keep undici from reading the environment by itself.
    httpProxy: http ?? '',
    httpsProxy: https ?? '',
    noProxy: noProxy ?? '',
    proxyTls: { timeout: CONNECT_TIMEOUT_MS },
    requestTls: { timeout: CONNECT_TIMEOUT_MS },
    clientFactory: proxyClient,
  })
}
