/** US dollars for each call, by the name of a tool that a vendor runs itself while it answers. */
export type CallPrices = Readonly<Record<string, number>>

const THOUSAND = 1_000

/**
 * Prices: platform.claude.com/docs/en/about-claude/pricing, as public copies of that page had them in November 2026. Of
 * code it is the least that is billed: five minutes of a container at 0.05 dollars an hour.
 */
const OF_ANTHROPIC: CallPrices = {
  web_search: 10 / THOUSAND,
  web_fetch: 0,
  code_execution: 0.0042,
  tool_search: 0,
  mcp: 0,
}

/**
 * Prices: developers.openai.com/api/docs/pricing, "Built-in tools", as public copies of that page had them in November
 * 2026. A search of the preview costs as much as one of GPT-4.1's does, the dearest. Code and images have no price for a
 * call: they are billed by containers and by another model's tokens.
 */
const OF_OPENAI: CallPrices = {
  web_search: 10 / THOUSAND,
  web_search_preview: 25 / THOUSAND,
  file_search: 2.5 / THOUSAND,
  tool_search: 0,
  mcp: 0,
}

const BY_PROVIDER: ReadonlyMap<string, CallPrices> = new Map([
  ['anthropic', OF_ANTHROPIC],
  ['openai', OF_OPENAI],
])

/** What the calls of a provider's own tools cost; a name that is absent has no known price. */
export const callPricesOf = (provider: string): CallPrices => BY_PROVIDER.get(provider) ?? {}
