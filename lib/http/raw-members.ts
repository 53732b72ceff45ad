import type { RawMembers } from '../llm/types.ts'
import { inTurns } from '../loop-turns.ts'
import { scanMembers } from '../raw-json.ts'

/** The members of a body of many megabytes, without blocking the event loop. */
export const membersInTurns = (json: string): Promise<RawMembers> => inTurns(scanMembers(json))
