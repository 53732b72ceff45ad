import type { RawMembers } from '../llm/types.ts'
import { turn } from '../loop-turns.ts'
import { scanMembers } from '../raw-json.ts'

/** The members of a body of many megabytes, without blocking the event loop. */
export const membersInTurns = async (json: string): Promise<RawMembers> => {
  const scan = scanMembers(json)
  for (;;) {
    const step = scan.next()
    if (step.done) return step.value
    await turn()
  }
}
