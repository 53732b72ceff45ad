import { Agent } from 'undici'
import type { Clock } from '#lib/clock.ts'
import { systemClock } from '#lib/clock.ts'
import { slidingWindow } from '#lib/rate-limit/sliding-window.ts'
import { Circuit } from '#lib/resilience/breaker/circuit.ts'
import { consecutive } from '#lib/resilience/breaker/trip-condition.ts'
import { memoryKeyValue } from '#lib/storage/memory.ts'
import { KeptTurns } from '#lib/tools/loop/kept-turns.ts'
import type { LoopDeps } from '#lib/tools/loop/loop.ts'
import { RateGate } from '#lib/tools/rate-gate.ts'
import { ToolRegistry } from '#lib/tools/registry.ts'
import { StoredResults } from '#lib/tools/results.ts'
import { type RunReport, ToolRunner } from '#lib/tools/runner.ts'
import { ServiceCaller } from '#lib/tools/service-caller.ts'
import { ServiceClient } from '#lib/tools/service-fetch.ts'
import { builtInTools, type ServicesSettings } from '#lib/tools/services.ts'
import type { Tool, ToolRun } from '#lib/tools/types.ts'

/** Settings with every service at this address, and no key. */
export const servicesAt = (url: string): ServicesSettings => ({
  openWeather: { baseUrl: url },
  openMeteo: url,
  openMeteoGeocoding: url,
  exchangeRateApi: { baseUrl: url },
  frankfurter: url,
  openErApi: url,
  newsApi: { baseUrl: url },
  gnews: { baseUrl: url },
  rssFeeds: [],
  gdelt: url,
  tavily: { baseUrl: url },
  brave: { baseUrl: url },
  searxng: undefined,
  wikipedia: url,
  googlePlaces: { baseUrl: url },
  nominatim: url,
})

export const toolNamed = (settings: ServicesSettings, name: string): Tool => {
  const tool = builtInTools(settings).find(one => one.name === name)
  if (!tool) throw new Error(`there is no tool ${name}`)
  return tool
}

/** A runner with its parts in memory, whose reports are kept. */
export const newRunner = ({
  clock = systemClock,
  timeoutMs = 2_000,
}: {
  clock?: Clock
  timeoutMs?: number
} = {}) => {
  const reports: RunReport[] = []
  const known = new Map<string, Circuit>()
  const circuitOf = (service: string): Circuit => {
    const tripCondition = consecutive(3)
    const circuit =
      known.get(service) ??
      new Circuit({
        tripCondition,
        openMs: 60_000,
        longestOpenMs: 60_000,
        clock,
        random: () => 0,
        onChange: () => {},
      })
    known.set(service, circuit)
    return circuit
  }
  const services = new ServiceCaller({
    client: new ServiceClient({ dispatcher: new Agent(), isProxied: false, userAgent: 'Parley/test', clock }),
    gate: new RateGate({ counter: slidingWindow(), clock }),
    circuitOf,
    clock,
    timeoutMs: () => timeoutMs,
  })
  const results = new StoredResults(memoryKeyValue(10_000_000, clock), () => 'first')
  const runner = new ToolRunner({ services, results, clock, onRun: report => reports.push(report) })
  const run = (tool: Tool, input: unknown, signal = new AbortController().signal): Promise<ToolRun> =>
    runner.run(tool, input, { signal, requestId: 'request-1' })
  return { run, reports, circuitOf }
}

/** A loop of tools for pipelines of which no call asks for one. */
export const noTools = (clock: Clock): LoopDeps => ({
  registry: new ToolRegistry([]),
  runner: { run: () => Promise.reject(new Error('there are no tools')) },
  turns: new KeptTurns(memoryKeyValue(1_000, clock)),
  clock,
  priced: usage => usage,
  checks: { call: async call => ({ call }), result: async run => run },
  mostRounds: 8,
})
