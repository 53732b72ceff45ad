import { LRUCache } from 'lru-cache'

const MOST = 1_000

/** One value for each subject; `all` lists the existing ones, the least recently used last. */
export type LazyMap<Subject, T> = ((subject: Subject) => T) & {
  readonly all: () => readonly (readonly [Subject, T])[]
}

/**
 * One value for each subject, created on first use. Beyond 1,000 of them the least recently used is forgotten.
 *
 * @param keyOf equal keys mean the same subject
 */
export const lazyMap = <Subject, T extends object>(
  keyOf: (subject: Subject) => string,
  create: (subject: Subject) => T,
): LazyMap<Subject, T> => {
  const made = new LRUCache<string, readonly [Subject, T]>({ max: MOST })
  const of = (subject: Subject): T => {
    const key = keyOf(subject)
    const known = made.get(key)
    if (known) return known[1]
    const one = create(subject)
    made.set(key, [subject, one])
    return one
  }
  return Object.assign(of, { all: () => [...made.values()] })
}

export const lazyMapByProvider = <T extends object>(
  create: (provider: string) => T,
): ((provider: string) => T) => lazyMap(provider => provider, create)
