import type { WorkSignal } from './work-signal.ts'

/** A work signal within this process. */
export const localWorkSignal = (): WorkSignal => {
  const subscribers = new Set<() => void>()
  return {
    notify: () => {
      for (const subscribe of subscribers) subscribe()
    },
    onWork: drain => {
      subscribers.add(() => void drain())
    },
    close: async () => subscribers.clear(),
  }
}
