import type { Policy } from '../../compose.ts'
import { prefetched } from '../../llm/events.ts'
import type { Call, Reply } from '../../llm/types.ts'
import { type LoopDeps, ToolLoop } from './loop.ts'
import { wantedTools, withoutRaw } from './request.ts'

/**
 * Runs the gateway's tools that a call asks for: the model may call them beside those of the client, within the one
 * call. Every round is an attempt of its own below, with a reservation and a row in the ledger; the usage is that of all
 * rounds together.
 */
export const tools = (deps: LoopDeps): Policy<Call, Reply> =>
  async function tools(asked, next) {
    if (!asked.gatewayTools || asked.gatewayTools.length === 0) return await next(asked)
    const wanted = wantedTools(asked, deps.registry)
    const { call, omitted } = withoutRaw(asked)
    const messages = await deps.turns.resumed(call.caller, call.messages)
    const loop = new ToolLoop({ ...call, messages }, wanted, next, deps)
    const first = await loop.ask()
    const dropped = [...(first.head.omitted ?? []), ...omitted]
    return {
      ...first,
      head: { ...first.head, ...(dropped.length > 0 && { omitted: dropped }) },
      usage: loop.usage,
      events: await prefetched(loop.events(first)),
    }
  }
