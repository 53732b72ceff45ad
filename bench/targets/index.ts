import { bare } from './bare.ts'
import { parleyNext, parleyOff, parleyOn, parleyV1 } from './parley.ts'
import { portkey } from './portkey.ts'
import type { Candidate, Target, TargetName } from './target.ts'

/** In the order in which they are measured and shown; the first is what the others are compared with. */
export const candidates: readonly Candidate[] = [bare, parleyOff, parleyOn, parleyV1, parleyNext, portkey]

export type FoundTargets = {
  targets: readonly Target[]
  unavailable: readonly { name: TargetName; reason: string }[]
}

/** Determines which of the named targets can run here, fetching and building them as needed. */
export async function findTargets(names: readonly string[]): Promise<FoundTargets> {
  const targets: Target[] = []
  const unavailable: { name: TargetName; reason: string }[] = []
  for (const candidate of candidates.filter(({ name }) => names.includes(name))) {
    const found = await candidate.find()
    if ('unavailable' in found) unavailable.push({ name: candidate.name, reason: found.unavailable })
    else targets.push(found)
  }
  return { targets, unavailable }
}
