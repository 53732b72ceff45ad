import packageJson from '../../package.json' with { type: 'json' }
import type { Generations } from '../cache/generations.ts'
import type { CacheKind } from '../cache-kinds.ts'
import type { Clock } from '../clock.ts'
import type { ConfigFile } from '../config/file-schema.ts'
import { httpToolsOf } from '../config/http-tools.ts'
import type { Environment } from '../config/schema.ts'
import { GatewayError } from '../errors.ts'
import { type Prices, pricedUsage } from '../ledger/meter.ts'
import { upstreamAgent } from '../llm/providers/shared/upstream-agent.ts'
import type { Logger } from '../observability/logger.ts'
import type { Metrics } from '../observability/metrics.ts'
import type { Counter } from '../rate-limit/counter.ts'
import type { RequestContext } from '../request-context.ts'
import { Circuit, type CircuitReport } from '../resilience/breaker/circuit.ts'
import { consecutive } from '../resilience/breaker/trip-condition.ts'
import type { KeyValue } from '../storage/types.ts'
import { KeptTurns } from '../tools/loop/kept-turns.ts'
import type { LoopDeps } from '../tools/loop/loop.ts'
import type { ToolChecks } from '../tools/loop/own-calls.ts'
import { RateGate } from '../tools/rate-gate.ts'
import { BUILT_IN_NAMES, ToolRegistry, type ToolState } from '../tools/registry.ts'
import { StoredResults } from '../tools/results.ts'
import { ToolRunner } from '../tools/runner.ts'
import { ServiceCaller } from '../tools/service-caller.ts'
import { ServiceClient } from '../tools/service-fetch.ts'
import { builtInTools, type ServicesSettings } from '../tools/services.ts'
import type { ToolRun } from '../tools/types.ts'

const FAILURES = 3
const OPEN_MS = 60_000
const OPEN_METEO = 'https://api.open-meteo.com'
const OPEN_METEO_GEOCODING = 'https://geocoding-api.open-meteo.com'

/** What runs tools, which survives a reload of the configuration. */
export type ToolRuntime = Readonly<{
  runner: ToolRunner
  turns: KeptTurns
  circuitReport: (service: string) => CircuitReport
}>

export type ToolWiringDeps = Readonly<{
  env: Environment
  clock: Clock
  logger: Logger
  metrics: Metrics
  counter: Counter
  store: KeyValue
  /** The invalidations of the caches. */
  generations: Generations
}>

const userAgentOf = ({ TOOL_USER_AGENT, PUBLIC_URL }: Environment): string =>
  TOOL_USER_AGENT ?? `Parley/${packageJson.version} (LLM gateway${PUBLIC_URL ? `; ${PUBLIC_URL}` : ''})`

/** Reaches external services, through the proxy of the environment where it names one. */
export const serviceClientOf = (env: Environment, clock: Clock): ServiceClient => {
  const { HTTP_PROXY: http, HTTPS_PROXY: https, NO_PROXY: noProxy } = env
  return new ServiceClient({
    dispatcher: upstreamAgent({ http, https, noProxy }),
    isProxied: http !== undefined || https !== undefined,
    userAgent: userAgentOf(env),
    clock,
  })
}

const circuits = ({ clock, logger }: ToolWiringDeps, figures: ReturnType<Metrics['ofTools']>) => {
  const known = new Map<string, Circuit>()
  const create = (service: string): Circuit =>
    new Circuit({
      tripCondition: consecutive(FAILURES),
      openMs: OPEN_MS,
      longestOpenMs: OPEN_MS,
      clock,
      random: Math.random,
      onChange: state => {
        const reason = 'reason' in state ? { reason: state.reason } : {}
        logger.warn({ component: 'tools', service, circuit: state.name, ...reason }, 'circuit changed')
        figures.circuitChanged(service, state.name)
      },
    })
  return (service: string): Circuit => {
    const circuit = known.get(service) ?? create(service)
    known.set(service, circuit)
    return circuit
  }
}

const KIND: CacheKind = 'tool-result'

/** The generation of results of tools; empty while the store cannot be read, which then holds none either. */
const resultGeneration = async (generations: Generations): Promise<string> =>
  (await generations.now())?.stamp([], [KIND]) ?? ''

export const buildTools = (deps: ToolWiringDeps): ToolRuntime => {
  const { env, clock, logger, metrics, counter, store, generations } = deps
  const figures = metrics.ofTools()
  const circuitOf = circuits(deps, figures)
  const services = new ServiceCaller({
    client: serviceClientOf(env, clock),
    gate: new RateGate({ counter, clock }),
    circuitOf,
    clock,
    timeoutMs: () => env.TOOL_TIMEOUT_MS,
  })
  const runner = new ToolRunner({
    services,
    results: new StoredResults(store, () => resultGeneration(generations)),
    clock,
    onRun: ({ tool, service, outcome, tookMs, requestId }) => {
      figures.runEnded(tool, outcome, tookMs)
      logger.info(
        { component: 'tools', requestId, tool, service, outcome, latencyMs: Math.round(tookMs * 10) / 10 },
        'tool run',
      )
    },
  })
  return { runner, turns: new KeptTurns(store), circuitReport: service => circuitOf(service).describe() }
}

const settingsOf = (env: Environment): ServicesSettings => ({
  openWeather: { baseUrl: env.OPENWEATHER_BASE_URL, key: env.OPENWEATHER_API_KEY },
  openMeteo: env.OPEN_METEO_BASE_URL ?? OPEN_METEO,
  openMeteoGeocoding: env.OPEN_METEO_GEOCODING_BASE_URL ?? env.OPEN_METEO_BASE_URL ?? OPEN_METEO_GEOCODING,
  exchangeRateApi: { baseUrl: env.EXCHANGE_RATE_BASE_URL, key: env.EXCHANGE_RATE_API_KEY },
  frankfurter: env.FRANKFURTER_BASE_URL,
  openErApi: env.OPEN_ER_API_BASE_URL,
  newsApi: { baseUrl: env.NEWS_BASE_URL, key: env.NEWS_API_KEY },
  gnews: { baseUrl: env.GNEWS_BASE_URL, key: env.GNEWS_API_KEY },
  rssFeeds: env.NEWS_RSS_FEEDS,
  gdelt: env.GDELT_BASE_URL,
  tavily: { baseUrl: env.TAVILY_BASE_URL, key: env.TAVILY_API_KEY },
  brave: { baseUrl: env.BRAVE_BASE_URL, key: env.BRAVE_API_KEY },
  searxng: env.SEARXNG_BASE_URL,
  wikipedia: env.WIKIPEDIA_BASE_URL,
  googlePlaces: { baseUrl: env.GOOGLE_PLACES_BASE_URL, key: env.GOOGLE_PLACES_API_KEY },
  nominatim: env.NOMINATIM_BASE_URL,
})

/** The gateway's own tools and those of the file; none where tools are switched off. @throws ConfigurationError */
export const toolsOf = (env: Environment, file: ConfigFile): ToolRegistry =>
  new ToolRegistry(
    env.ENABLE_TOOLS ? [...builtInTools(settingsOf(env)), ...httpToolsOf(file, BUILT_IN_NAMES)] : [],
  )

/** Tools as the routes use them. */
export type GatewayTools = Readonly<{
  states: () => readonly ToolState[]
  /** Runs a tool by its name. Throws NOT_FOUND where there is none. */
  run: (name: string, input: unknown, context: RequestContext) => Promise<ToolRun>
}>

export const gatewayTools = (
  { runner, circuitReport }: ToolRuntime,
  registry: () => ToolRegistry,
  checks: () => ToolChecks,
): GatewayTools => ({
  states: () => registry().states(circuitReport),
  run: async (name, input, context) => {
    const tool = registry().find(name)
    if (!tool)
      throw new GatewayError('NOT_FOUND', 'There is no tool of that name; GET /api/tools lists them.')
    const { arguments: checkArguments, result: checkResult } = checks()
    const checked = await checkArguments(input, context)
    if ('withheld' in checked) return { ok: false, reason: 'withheld', message: checked.withheld }
    return checkResult(await runner.run(tool, checked.input, context), context)
  },
})

type LoopWiringDeps = Readonly<{ env: Environment; clock: Clock; tools: ToolRuntime }>

/** What runs tools within calls. */
export const toolLoopOf = (
  { env, clock, tools: { runner, turns } }: LoopWiringDeps,
  registry: ToolRegistry,
  prices: Prices,
  checks: ToolChecks,
): LoopDeps => ({
  registry,
  runner,
  turns,
  clock,
  priced: (usage, target, at) => pricedUsage(usage, target, prices, at),
  checks,
  mostRounds: env.TOOL_MAX_ROUNDS,
})
