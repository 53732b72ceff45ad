import type { Bell } from './bell.ts'

/** A bell that is heard in this process alone. */
export const localBell = (): Bell => {
  const hearing = new Set<() => void>()
  return {
    ring: () => {
      for (const hear of hearing) hear()
    },
    answer: drain => {
      hearing.add(() => void drain())
    },
    close: async () => hearing.clear(),
  }
}
