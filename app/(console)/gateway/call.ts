import { failureOf, unreachable } from './failure.ts'
import type { Failure } from './wire.ts'

/** The result of a call to the gateway. */
export type Result<Value> = { value: Value; failure?: never } | { failure: Failure; value?: never }

/** Calls the gateway and reads its JSON. Never throws. */
export async function call<Value>(path: string, init: RequestInit = {}): Promise<Result<Value>> {
  const response = await fetch(path, init).catch(() => undefined)
  if (!response) return { failure: unreachable(navigator.onLine) }
  if (!response.ok) return { failure: await failureOf(response) }
  const value = await response.json().catch(() => undefined)
  return value === undefined ? { failure: unreachable(navigator.onLine) } : { value: value as Value }
}
