/** Numbers from 0 up to 1 that are the same again for the same seed, a whole number above 0 (MINSTD). */
export const seededRandom = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}
