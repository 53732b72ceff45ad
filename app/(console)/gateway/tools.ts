import { call } from './call.ts'
import type { Tool } from './wire.ts'

const LONGEST_WAIT_MS = 3_000

/** The gateway's tools that can be used now; none where they cannot be loaded within 3 s. */
export async function fetchTools(): Promise<Tool[]> {
  const signal = AbortSignal.timeout(LONGEST_WAIT_MS)
  const { value } = await call<{ tools?: Tool[] }>('/api/tools', { signal })
  return (value?.tools ?? []).filter(({ available }) => available)
}
