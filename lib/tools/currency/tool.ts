import { z } from 'zod'
import { defineTool } from '../define.ts'
import { shown } from '../service-answer.ts'
import { type Tool, ToolFailure, type ToolService } from '../types.ts'

const currency = z
  .string()
  .transform(code => code.trim().toUpperCase())
  .pipe(z.string().regex(/^[A-Z]{3}$/, 'must be a currency code of three letters, such as USD'))

const schema = z.strictObject({
  from: currency.describe('The ISO 4217 code to convert from, such as USD.'),
  to: currency.describe('The one to convert to, such as EUR.'),
  amount: z.number().min(0).max(1e15).default(1).describe('How much to convert.'),
})

export type CurrencyArguments = z.output<typeof schema>

/** What every currency service makes of its answer. */
type Conversion = Readonly<{
  from: string
  to: string
  amount: number
  rate: number
  converted: number
  date?: string | undefined
}>

const DIGITS = 12

/** Without the digits that floating point adds: 0.1 × 3. */
const rounded = (value: number): number => Number(value.toPrecision(DIGITS))

export const unknownCurrency = (): ToolFailure =>
  new ToolFailure('arguments', 'There is no rate for these currencies.')

export const conversion = (
  { from, to, amount }: CurrencyArguments,
  rates: Readonly<Record<string, number>>,
  date: string | null | undefined,
): Conversion => {
  const rate = Object.hasOwn(rates, to) ? rates[to] : undefined
  if (rate === undefined) throw unknownCurrency()
  return { from, to, amount, rate, converted: rounded(amount * rate), date: shown(date, 40) }
}

export const rates = z.record(z.string(), z.number().positive())

export const currencyTool = (services: readonly ToolService<CurrencyArguments>[], version: string): Tool =>
  defineTool({
    name: 'currency',
    description: 'Converts an amount of money from one currency to another at the current rate.',
    schema,
    lifeMinutes: 5,
    services,
    version,
  })
