/** A number without an exponent, which few header parsers expect. */
export const decimal = (value: number): string => {
  const shortest = String(value)
  return shortest.includes('e') ? value.toFixed(12).replace(/\.?0+$/, '') : shortest
}
