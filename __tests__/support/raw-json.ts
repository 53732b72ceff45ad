import type { RawJson } from '#lib/http/body.ts'
import { membersOf } from '#lib/raw-json.ts'

/** A body as a route reads it. */
export const rawJson = (body: object): RawJson => {
  const text = JSON.stringify(body)
  return { text, value: JSON.parse(text), isLarge: false, members: membersOf(text) }
}
