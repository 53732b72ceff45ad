import type { Caller } from '../caller.ts'

type Weighted = Readonly<{ weight: number }>

/** FNV-1a with murmur3's last mix: spreads even neighbouring texts evenly. From 0 to below 1; not for secrets. */
export const spread = (text: string): number => {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}

const nameOf = (caller: Caller): string =>
  'id' in caller ? `${caller.kind}:${caller.id}` : `${caller.kind}:${caller.address}`

/**
 * The target of a weighted alias for a caller: always the same one, also in another process, while the weights are
 * unchanged. Over many callers each target gets its share. Undefined when all weights are zero.
 */
export const armOf = <T extends Weighted>(
  { name, targets }: Readonly<{ name: string; targets: readonly T[] }>,
  caller: Caller,
): T | undefined => {
  const total = targets.reduce((sum, { weight }) => sum + weight, 0)
  let left = spread(`${name}\n${nameOf(caller)}`) * total
  return targets.find(({ weight }) => {
    left -= weight
    return left < 0
  })
}
