import type { RawRequest } from '../llm/types.ts'
import { isObject, memberIn } from '../raw-json.ts'

/** The calls of one tool where the request names no limit. Anthropic pauses after as many rounds. */
const USUAL_CALLS = 10

/** Types of tools that the client or the gateway runs; a vendor runs all others. */
const RUN_BY_CLIENT =
  /^(?:function|custom|namespace|gateway|local_shell|apply_patch|(?:bash|computer|memory|text_editor|str_replace)(?:_.*)?)$/
/** Members of a body that make some vendor search or call servers of its own accord. */
const MEMBERS = ['mcp_servers', 'web_search_options', 'search_parameters', 'plugins'] as const
const NOTHING: ReadonlySet<string | undefined> = new Set([undefined, 'null', '[]'])

/** What may be added to a call by tools that its vendor runs while it answers. */
export type HostedTools = Readonly<{
  /** How often the model may read its prompt, with what the tools have found till then. */
  rounds: number
  /** The most calls of each tool, by its name in the price table. */
  calls: ReadonlyMap<string, number>
}>

/** `web_search` for `web_search_20250305`. */
const nameOf = (type: string): string => {
  const known = /^(mcp|tool_search|web_search_preview)/.exec(type)?.[1]
  return known ?? type.replace(/_\d{4}_?\d\d_?\d\d$/, '')
}

const countIn = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : undefined

type Tool = Readonly<{ type: string; maxUses: number | undefined }>

/** Anthropic's tools of the client may have no type; elsewhere such a tool is a vendor's own: `{"google_search": {}}`. */
const typeOf = (tool: Readonly<Record<string, unknown>>, format: RawRequest['format']): string => {
  if (typeof tool.type === 'string') return tool.type
  return format === 'anthropic-messages' ? 'custom' : (Object.keys(tool)[0] ?? 'custom')
}

const toolsIn = ({ members, format }: RawRequest): readonly Tool[] => {
  const value: unknown = JSON.parse(memberIn(members, 'tools') ?? '[]')
  const listed = (Array.isArray(value) ? value : []).flatMap((tool: unknown): readonly Tool[] => {
    const type = isObject(tool) ? typeOf(tool, format) : 'custom'
    if (!isObject(tool) || RUN_BY_CLIENT.test(type)) return []
    if (isObject(tool.environment) && tool.environment.type === 'local') return []
    return [{ type, maxUses: countIn(tool.max_uses) }]
  })
  const named = MEMBERS.filter(name => !NOTHING.has(memberIn(members, name)?.trim()))
  return [...listed, ...named.map(type => ({ type, maxUses: undefined }))]
}

/** The tools of a request that its vendor runs; undefined where there are none. */
export const hostedTools = (raw: RawRequest): HostedTools | undefined => {
  const tools = toolsIn(raw)
  if (tools.length === 0) return undefined
  const most = countIn(Number(memberIn(raw.members, 'max_tool_calls') ?? Number.NaN))
  const calls = new Map<string, number>()
  for (const { type, maxUses = USUAL_CALLS } of tools) {
    const name = nameOf(type)
    calls.set(name, (calls.get(name) ?? 0) + Math.min(maxUses, most ?? maxUses))
  }
  const all = [...calls.values()].reduce((sum, count) => sum + count, 0)
  return { calls, rounds: 1 + Math.min(all, most ?? all) }
}
