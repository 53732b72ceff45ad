import { LRUCache } from 'lru-cache'

const MOST = 1_000

/** One of something for each subject; `all` lists what has been made, the longest unused last. */
export type LazyMap<Subject, T> = ((subject: Subject) => T) & {
  readonly all: () => readonly (readonly [Subject, T])[]
}

/**
 * One of something for each subject, made when first asked for. Beyond 1,000 of them the longest unused is forgotten.
 *
 * @param keyOf tells which subjects are the same
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
