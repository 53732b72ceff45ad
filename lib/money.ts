/** Picodollars in a US dollar. Prices per million tokens have up to six decimals: a token's is whole in this unit. */
const PICO_PER_USD = 1e12
/** Sums of answers, budgets and the ledger are in whole nanodollars. */
const NANO_PER_USD = 1e9
export const PICO_PER_NANO = PICO_PER_USD / NANO_PER_USD

/** US dollars, for output only: sums are made in whole picodollars, which are exact. */
export const usdOf = (picoUsd: number | bigint): number => Number(picoUsd) / PICO_PER_USD

/** Whole picodollars of an amount that was written in US dollars, or of a price. */
export const picoUsdOf = (usd: number): number => Math.round(usd * PICO_PER_USD)

/** US dollars, for output only, of whole nanodollars. */
export const usdOfNano = (nanoUsd: number | bigint): number => Number(nanoUsd) / NANO_PER_USD

/** Whole nanodollars, half away from zero, of an amount that is not negative. */
export const nanoOfPico = (picoUsd: number): number => Math.round(picoUsd / PICO_PER_NANO)

/** An amount to the nanodollar, half away from zero, in picodollars: what is charged, and shown everywhere. */
export const chargedPicoUsd = (picoUsd: number): number => nanoOfPico(picoUsd) * PICO_PER_NANO

/** Whole nanodollars of an amount that was written in US dollars. */
export const nanoUsdOf = (usd: number): number => Math.round(usd * NANO_PER_USD)
