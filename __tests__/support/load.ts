/** Runs work `count` times, `atOnce` at a time; the work gets its number, from 0. Rejects with the first failure. */
export const runMany = async (
  count: number,
  atOnce: number,
  work: (number: number) => Promise<void>,
): Promise<void> => {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) {
      const number = next
      next += 1
      await work(number)
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, worker))
}

/** One of the elements, by a random number from 0 up to 1. */
export const oneOf = <T>(elements: readonly T[], random: number): T | undefined =>
  elements[Math.floor(random * elements.length)]

/** A whole number of the environment, such as a longer run's size; `usual` when unset. */
export const sizeFrom = (variable: string, usual: number): number => Number(process.env[variable] || usual)
