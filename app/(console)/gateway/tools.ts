import { call } from './call.ts'
import type { Tool } from './wire.ts'

/** The gateway's tools that can be used now; none where they cannot be loaded. */
export async function fetchTools(): Promise<Tool[]> {
  const { value } = await call<{ tools?: Tool[] }>('/api/tools')
  return (value?.tools ?? []).filter(({ available }) => available)
}
