import { LRUCache } from 'lru-cache'

const MOST = 1_000

/**
 * One of something for each subject, made when first asked for. Beyond 1,000 of them the longest unused is forgotten.
 *
 * @param keyOf tells which subjects are the same
 */
export const onePer = <Subject, T extends object>(
  keyOf: (subject: Subject) => string,
  create: (subject: Subject) => T,
): ((subject: Subject) => T) => {
  const made = new LRUCache<string, T>({ max: MOST })
  return subject => {
    const key = keyOf(subject)
    const one = made.get(key) ?? create(subject)
    made.set(key, one)
    return one
  }
}

export const onePerProvider = <T extends object>(
  create: (provider: string) => T,
): ((provider: string) => T) => onePer(provider => provider, create)
