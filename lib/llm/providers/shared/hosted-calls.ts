import { type Fields, fieldsOf, listIn, wordIn } from './lenient.ts'
import { type ReportedUsage, tokenCount } from './usage.ts'

/** How often a vendor ran its own tools for an answer, by their names in the price table. */
type HostedCalls = NonNullable<ReportedUsage['hostedCalls']>

const REQUESTS = '_requests'

/** The calls in Anthropic's `server_tool_use`: `{"web_search_requests": 2}`. */
export const callsInServerToolUse = (value: unknown): HostedCalls =>
  Object.fromEntries(
    Object.entries(fieldsOf(value) ?? {}).flatMap(([name, written]) => {
      const count = tokenCount(written) ?? 0
      return name.endsWith(REQUESTS) && count > 0 ? [[name.slice(0, -REQUESTS.length), count]] : []
    }),
  )

const PREVIEW = 'web_search_preview'
/** Items of tools that OpenAI runs, with their names in the price table. A fetched page is part of a search. */
const ITEMS: Readonly<Record<string, string>> = {
  web_search_call: 'web_search',
  file_search_call: 'file_search',
  code_interpreter_call: 'code_interpreter',
  image_generation_call: 'image_generation',
}

const isBilled = ({ status, action }: Fields): boolean =>
  status !== 'failed' && (wordIn(fieldsOf(action)?.type) ?? 'search') === 'search'

/** The calls among the items of a response of OpenAI's, which repeats the tools that it was asked to use. */
export const callsInResponse = ({ output, tools }: Fields): HostedCalls => {
  const calls: Record<string, number> = {}
  const isPreview = listIn(tools).some(({ type }) => wordIn(type)?.startsWith(PREVIEW))
  for (const item of listIn(output)) {
    const known = ITEMS[wordIn(item.type) ?? '']
    if (known === undefined || (known === 'web_search' && !isBilled(item))) continue
    const name = known === 'web_search' && isPreview ? PREVIEW : known
    calls[name] = (calls[name] ?? 0) + 1
  }
  return calls
}

/** Adds the calls, where there are any. */
export const withHostedCalls = (usage: ReportedUsage, hostedCalls: HostedCalls): ReportedUsage =>
  Object.keys(hostedCalls).length === 0 ? usage : { ...usage, hostedCalls }
