import { Catalog, type ProviderListing } from '../llm/catalog.ts'
import { BUILT_IN_NAMES } from '../tools/registry.ts'
import { type FileFault, type KeyPath, parseConfigFile } from './file.ts'
import type { ConfigFile } from './file-schema.ts'
import { guardrailFaults } from './guardrails/faults.ts'
import { httpToolFaults } from './http-tools.ts'

type Found = readonly [path: KeyPath, message: string]

const modelFaults = ({ models = [] }: ConfigFile, listings: readonly ProviderListing[]): readonly Found[] =>
  models.flatMap(({ id, provider }, index): Found[] => {
    if (!listings.some(listing => listing.provider === provider))
      return [[['models', index, 'provider'], 'is not the id of a provider']]
    return models.findIndex(model => model.id === id) < index
      ? [[['models', index, 'id'], 'is already used']]
      : []
  })

/** What is wrong with a name that should be a model's. */
const nameFault = (name: string, { aliases = {} }: ConfigFile, catalog: Catalog): string | undefined => {
  if (Object.hasOwn(aliases, name)) return 'is an alias, which may only stand for models'
  return catalog.find(name) ? undefined : 'is not a model of this gateway'
}

const aliasOrModelFault = (name: string, file: ConfigFile, catalog: Catalog): string | undefined =>
  Object.hasOwn(file.aliases ?? {}, name) ? undefined : nameFault(name, file, catalog)

const aliasFaults = (file: ConfigFile, catalog: Catalog): readonly Found[] =>
  Object.entries(file.aliases ?? {}).flatMap(([name, { strategy, targets }]): Found[] => {
    const taken = catalog.find(name) ? [[['aliases', name], 'is the name of a model'] as const] : []
    const weightless = strategy === 'weighted' && targets.every(({ weight }) => weight === 0)
    return [
      ...taken,
      ...(weightless ? [[['aliases', name, 'targets'], 'have no weight at all'] as const] : []),
      ...targets.flatMap(({ model }, index): Found[] => {
        const fault = nameFault(model, file, catalog)
        return fault ? [[['aliases', name, 'targets', index, 'model'], fault]] : []
      }),
    ]
  })

const chainFaults = (file: ConfigFile, catalog: Catalog): readonly Found[] => {
  const chains: [KeyPath, string, readonly string[]][] = [
    ...Object.entries(file.fallbacks ?? {}).map(([name, chain]): [KeyPath, string, readonly string[]] => [
      ['fallbacks', name],
      name,
      chain,
    ]),
    ...(file.models ?? []).map(({ id, fallbacks = [] }, index): [KeyPath, string, readonly string[]] => [
      ['models', index, 'fallbacks'],
      id,
      fallbacks,
    ]),
  ]
  return chains.flatMap(([path, name, chain]): Found[] => [
    ...(catalog.find(name) || path[0] === 'models'
      ? []
      : [[path, 'is not a model of this gateway'] as const]),
    ...chain.flatMap((other, index): Found[] => {
      const fault = other === name ? 'cannot be its own fallback' : nameFault(other, file, catalog)
      return fault ? [[[...path, index], fault]] : []
    }),
  ])
}

const imageChainFaults = (file: ConfigFile, catalog: Catalog): readonly Found[] =>
  (file.images?.chain ?? []).flatMap(({ model }, index): Found[] => {
    const fault = nameFault(model, file, catalog)
    return fault ? [[['images', 'chain', index, 'model'], fault]] : []
  })

const providerFaults = (
  { providers = {} }: ConfigFile,
  listings: readonly ProviderListing[],
): readonly Found[] =>
  Object.keys(providers).flatMap((id): Found[] =>
    listings.some(({ provider }) => provider === id)
      ? []
      : [[['providers', id], 'is not the id of a provider']],
  )

const toolFaults = (file: ConfigFile): readonly Found[] =>
  httpToolFaults(file, BUILT_IN_NAMES).map(([index, message]) => [['tools', 'http', index], message])

export type CheckedFile =
  | Readonly<{ ok: true; config: ConfigFile; isEmpty: boolean }>
  | Readonly<{ ok: false; faults: readonly FileFault[] }>

/** Reads a configuration file's text and checks its shape, and that every name in it exists. */
export const checkConfig = (text: string, listings: readonly ProviderListing[]): CheckedFile => {
  const parsed = parseConfigFile(text)
  if (!parsed.ok) return parsed
  const { config, isEmpty, faultAt } = parsed
  const catalog = new Catalog(listings, undefined, config)
  const found = [
    ...modelFaults(config, listings),
    ...providerFaults(config, listings),
    ...aliasFaults(config, catalog),
    ...chainFaults(config, catalog),
    ...imageChainFaults(config, catalog),
    ...toolFaults(config),
    ...guardrailFaults(config, name => aliasOrModelFault(name, config, catalog)),
  ]
  if (found.length === 0) return { ok: true, config, isEmpty }
  return { ok: false, faults: found.map(([path, message]) => faultAt(path, message)) }
}
