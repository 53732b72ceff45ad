/** Picodollars in a US dollar. Prices per million tokens have up to six decimals: a token's is whole in this unit. */
const PICO_PER_USD = 1e12

/** US dollars, for output only: sums are made in whole picodollars, which are exact. */
export const usdOf = (picoUsd: number | bigint): number => Number(picoUsd) / PICO_PER_USD

/** Whole picodollars of an amount that was written in US dollars, or of a price. */
export const picoUsdOf = (usd: number): number => Math.round(usd * PICO_PER_USD)
