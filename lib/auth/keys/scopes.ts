import type { KeyScopes } from '../../caller.ts'

/** The path of a scope without the star that may end it: `/v1/*` and `/v1` are the same. */
const stem = (route: string): string => route.replace(/\/?\*$/, '').replace(/\/$/, '')

const isWithin = (route: string, scope: string): boolean => {
  const path = stem(scope)
  return path === '' || route === path || route.startsWith(`${path}/`)
}

/** Whether a pattern of names matches one; `*` stands for any characters. */
export const matchesName = (name: string, pattern: string): boolean => {
  const parts = pattern.split('*')
  const first = parts[0] ?? ''
  const last = parts.at(-1) ?? ''
  if (parts.length === 1) return name === pattern
  if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last))
    return false
  let from = first.length
  for (const part of parts.slice(1, -1)) {
    const at = name.indexOf(part, from)
    if (at === -1) return false
    from = at + part.length
  }
  return from <= name.length - last.length
}

/** Whether a key with these scopes may use a route, by its pattern. */
export const allowsRoute = (scopes: KeyScopes | undefined, route: string): boolean =>
  scopes?.routes === undefined || scopes.routes.some(scope => isWithin(route, scope))

/** Whether a key with these scopes may use a model that has these names. */
export const allowsModel = (scopes: KeyScopes | undefined, names: readonly string[]): boolean =>
  scopes?.models === undefined || scopes.models.some(scope => names.some(name => matchesName(name, scope)))

/** Whether scopes allow nothing that others do not. */
export const isWithinScopes = (scopes: KeyScopes | undefined, others: KeyScopes | undefined): boolean => {
  const { routes, models } = scopes ?? {}
  const areRoutes = others?.routes === undefined || routes?.every(route => allowsRoute(others, stem(route)))
  const areModels = others?.models === undefined || models?.every(model => allowsModel(others, [model]))
  return Boolean(areRoutes && areModels)
}
