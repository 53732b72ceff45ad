/** Decides when a closed circuit has seen enough failures to open. Forgets everything when told to. */
export interface Judge {
  succeeded(now: number): void
  /** @returns why to open, if it is time. */
  failed(now: number): string | undefined
  forget(): void
}

/** Opens after so many failures without a success between them: for an upstream that is gone. */
export const consecutive = (failures: number): Judge => {
  let inARow = 0
  return {
    succeeded() {
      inARow = 0
    },
    failed() {
      inARow += 1
      return inARow >= failures ? `${inARow} failures in a row` : undefined
    },
    forget() {
      inARow = 0
    },
  }
}

export type Sampling = Readonly<{
  /** From 0 to 1. */
  failingShare: number
  /** Fewer calls than this in the window say nothing. */
  leastCalls: number
  windowMs: number
}>

const SLICES = 10

type Slice = { startsAt: number; calls: number; failures: number }

/** Opens when too large a share of the recent calls failed: for an upstream that is half alive. */
export const sampling = ({ failingShare, leastCalls, windowMs }: Sampling): Judge => {
  let slices: Slice[] = []

  const count = (now: number, failures: number): void => {
    slices = slices.filter(({ startsAt }) => startsAt > now - windowMs)
    const newest = slices.at(-1)
    if (newest && now < newest.startsAt + windowMs / SLICES) {
      newest.calls += 1
      newest.failures += failures
    } else slices.push({ startsAt: now, calls: 1, failures })
  }
  const total = (field: 'calls' | 'failures'): number => slices.reduce((sum, slice) => sum + slice[field], 0)

  return {
    succeeded(now) {
      count(now, 0)
    },
    failed(now) {
      count(now, 1)
      const calls = total('calls')
      const failures = total('failures')
      if (calls < leastCalls || failures < calls * failingShare) return undefined
      return `${failures} of ${calls} calls failed`
    },
    forget() {
      slices = []
    },
  }
}

/** Opens as soon as one of them says so. */
export const anyOf = (...judges: readonly Judge[]): Judge => ({
  succeeded(now) {
    for (const judge of judges) judge.succeeded(now)
  },
  failed(now) {
    return judges.map(judge => judge.failed(now)).find(reason => reason !== undefined)
  },
  forget() {
    for (const judge of judges) judge.forget()
  },
})
