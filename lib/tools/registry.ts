import type { CircuitReport } from '../resilience/breaker/circuit.ts'
import type { Tool } from './types.ts'

/** Other names of tools, which callers and models may use. */
const ALIASES: Readonly<Record<string, string>> = { search: 'web_search', 'web-search': 'web_search' }

/** The names of the gateway's own tools, which no other may have. */
export const BUILT_IN_NAMES = [
  'weather',
  'currency',
  'news',
  'web_search',
  'places',
  ...Object.keys(ALIASES),
] as const

/** What `GET /api/tools` says of a tool. */
export type ToolState = Readonly<{
  name: string
  description: string
  parameters: Tool['parameters']
  /** Whether a service is set up and not known to be failing. */
  available: boolean
  /** The service that the next run asks first. */
  service: string | null
  cacheSeconds: number
  services: readonly Readonly<{
    name: string
    /** Whether it can be used at all. */
    configured: boolean
    /** The variable without which it cannot. */
    missing?: string
    attribution?: string
    circuit: CircuitReport
  }>[]
}>

const mayBeAsked = ({ state, nextProbeInMs }: CircuitReport): boolean =>
  state !== 'open' || nextProbeInMs === 0

/** The tools of one version of the settings. */
export class ToolRegistry {
  readonly #tools: ReadonlyMap<string, Tool>

  constructor(tools: readonly Tool[]) {
    this.#tools = new Map(tools.map(tool => [tool.name, tool]))
  }

  /** A tool by its name, or another name of it. */
  find(name: string): Tool | undefined {
    return this.#tools.get(name) ?? this.#tools.get(ALIASES[name] ?? '')
  }

  get names(): readonly string[] {
    return [...this.#tools.keys()]
  }

  states(circuitOf: (service: string) => CircuitReport): readonly ToolState[] {
    return [...this.#tools.values()].map(({ name, description, parameters, lifeMs, services }) => {
      const states = services.map(({ name: service, missing, attribution }) => ({
        name: service,
        configured: missing === undefined,
        ...(missing !== undefined && { missing }),
        ...(attribution !== undefined && { attribution }),
        circuit: circuitOf(service),
      }))
      const next = states.find(({ configured, circuit }) => configured && mayBeAsked(circuit))
      return {
        name,
        description,
        parameters,
        available: next !== undefined,
        service: next?.name ?? null,
        cacheSeconds: lifeMs / 1_000,
        services: states,
      }
    })
  }
}
