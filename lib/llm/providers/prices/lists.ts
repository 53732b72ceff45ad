import type { TokenPrices } from '../definition.ts'

/** Prices of long inputs as factors of the usual ones, all classes of input alike. */
export const longContext = (
  aboveInputTokens: number,
  { input, output, cachedInput, cacheWrite, cacheWrite1h }: TokenPrices,
  factors: Readonly<{ input: number; output: number }>,
) => {
  const times = (price: number | undefined) => (price === undefined ? undefined : price * factors.input)
  return [
    {
      aboveInputTokens,
      input: input * factors.input,
      output: output * factors.output,
      cachedInput: times(cachedInput),
      cacheWrite: times(cacheWrite),
      cacheWrite1h: times(cacheWrite1h),
    },
  ] as const
}
