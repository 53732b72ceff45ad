import { z } from 'zod'
import { below, readJson } from '../service-answer.ts'
import type { ToolService } from '../types.ts'
import { type CurrencyArguments, conversion, rates, unknownCurrency } from './tool.ts'

const latest = z.union([
  z.object({ result: z.literal('success'), rates, time_last_update_utc: z.string().optional() }),
  z.object({ result: z.literal('error'), 'error-type': z.literal('unsupported-code') }),
])

/** The open endpoint of ExchangeRate-API, which needs no key. Source: https://www.exchangerate-api.com/docs/free */
export const openErApi = (baseUrl: string): ToolService<CurrencyArguments> => ({
  name: 'open-er-api',
  attribution: 'Rates By Exchange Rate API (https://www.exchangerate-api.com)',
  rate: { limit: 10, windowMs: 60_000 },
  async ask(input, fetch) {
    const answer = readJson(latest, await fetch({ url: below(baseUrl, `/v6/latest/${input.from}`) }))
    if (answer.result === 'error') throw unknownCurrency()
    return conversion(input, answer.rates, answer.time_last_update_utc)
  },
})
