import { z } from 'zod'
import { below, readJson } from '../service-answer.ts'
import type { ToolService } from '../types.ts'
import { type CurrencyArguments, conversion, rates, unknownCurrency } from './tool.ts'

const latest = z.object({ base: z.string(), date: z.string().optional(), rates })

/**
 * Frankfurter, which needs no key: reference rates of the European Central Bank for some thirty currencies.
 * Source: https://frankfurter.dev
 */
export const frankfurter = (baseUrl: string): ToolService<CurrencyArguments> => ({
  name: 'frankfurter',
  attribution: 'Rates of the European Central Bank by frankfurter.dev',
  rate: { limit: 10, windowMs: 1_000 },
  isPartial: true,
  async ask(input, fetch) {
    const { from: base, to } = input
    // It refuses a rate of a currency to itself.
    const symbols = to === base ? undefined : to
    const answer = await fetch({ url: below(baseUrl, '/v1/latest', { base, symbols }) })
    if (answer.status === 404 || answer.status === 422) throw unknownCurrency()
    const { date, rates: found } = readJson(latest, answer)
    return conversion(input, { ...found, [base]: 1 }, date)
  },
})
