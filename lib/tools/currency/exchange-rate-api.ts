import { z } from 'zod'
import { keyed } from '../define.ts'
import { below, readJson } from '../service-answer.ts'
import type { ServiceSettings, ToolService } from '../types.ts'
import { type CurrencyArguments, conversion, rates, unknownCurrency } from './tool.ts'

const latest = z.object({ conversion_rates: rates, time_last_update_utc: z.string().optional() })

/** ExchangeRate-API. Source: https://www.exchangerate-api.com/docs/standard-requests */
export const exchangeRateApi = (settings: ServiceSettings): ToolService<CurrencyArguments> => ({
  name: 'exchange-rate-api',
  ...keyed(settings, 'EXCHANGE_RATE_API_KEY'),
  attribution: 'Rates By Exchange Rate API (https://www.exchangerate-api.com)',
  rate: { limit: 10, windowMs: 1_000 },
  async ask(input, fetch) {
    const path = `/v6/${encodeURIComponent(settings.key ?? '')}/latest/${input.from}`
    const answer = await fetch({ url: below(settings.baseUrl, path) })
    if (answer.status === 404) throw unknownCurrency()
    const { conversion_rates: found, time_last_update_utc: date } = readJson(latest, answer)
    return conversion(input, found, date)
  },
})
