import type { Policy } from '../compose.ts'
import type { Call, Reply, Target } from '../llm/types.ts'

/** Finds who should answer a model name, best first. Throws GatewayError INVALID_INPUT for an unknown one. */
export type Routes = Readonly<{ plan: (model: string) => readonly Target[] }>

/** Decides who should answer, best first. */
export const route = (routes: Routes): Policy<Call, Reply> =>
  async function route(call, next) {
    const plan = routes.plan(call.model)
    call.journal.plan = plan
    return await next({ ...call, plan })
  }
