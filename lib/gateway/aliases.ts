import type { ConfigFile } from '../config/file-schema.ts'
import type { Catalog } from '../llm/catalog.ts'
import type { Target } from '../llm/types.ts'
import type { Alias, AliasTarget } from '../routing/alias.ts'

const targetOf = (target: Target, weight: number | undefined, catalog: Catalog): AliasTarget => {
  const price = catalog.priceOf(target)
  return { target, weight: weight ?? 1, ...(price && { usdPerMillionBoth: price.input + price.output }) }
}

/** The aliases of a file, each with its available targets. An alias without any is left out. */
export const aliasesOf = ({ aliases = {} }: ConfigFile, catalog: Catalog): ReadonlyMap<string, Alias> => {
  const found = Object.entries(aliases).map(([name, { strategy, targets }]): Alias => {
    const usable = targets.flatMap(({ model, weight }) => {
      const known = catalog.find(model)
      return known?.available ? [targetOf(known.target, weight, catalog)] : []
    })
    return { name, strategy, targets: usable }
  })
  return new Map(found.filter(({ targets }) => targets.length > 0).map(alias => [alias.name, alias]))
}
