import type { ContentPart } from '../../llm/message.ts'
import { isObject } from '../../raw-json.ts'

/** The parts with a breakpoint of the prompt cache on the last one. @param cacheControl as the client wrote it */
export const withBreakpoint = (
  parts: readonly ContentPart[],
  cacheControl: unknown,
): readonly ContentPart[] => {
  const last = parts.at(-1)
  if (!isObject(cacheControl) || !last || last.type === 'audio' || last.type === 'other') return parts
  return [...parts.slice(0, -1), { ...last, cacheControl }]
}
