import { globSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { addRoute, createRouter, findRoute } from 'rou3'
import type { Method, RouteHandler } from '../http/serve.ts'

type RouteModule = Readonly<Partial<Record<Method, RouteHandler>>>
export type Match = Readonly<{ handler: RouteHandler; params: Record<string, string | string[]> }>
export type RouteTable = (method: string, path: string) => Match | undefined

const parameterOf = (segment: string): string =>
  segment.replace(/^\[\[?\.\.\.(.+?)\]\]?$/, '**:$1').replace(/^\[(.+)\]$/, ':$1')

/**
 * A file of Next's `app` folder as path patterns: `api/kv/[key]/route.ts` is `/api/kv/:key`. An optional catch-all
 * (`[[...path]]`) is one more, without its parameter.
 */
const patternsOf = (file: string): readonly string[] => {
  const segments = file
    .split('/')
    .slice(0, -1)
    .filter(segment => !/^\(.*\)$/.test(segment))
  const whole = `/${segments.map(parameterOf).join('/')}`
  return segments.at(-1)?.startsWith('[[') ? [whole, `/${segments.slice(0, -1).join('/')}`] : [whole]
}

/** Catch-all parameters are lists, as in Next. */
const paramsOf = (pattern: string, found: Record<string, string> = {}): Match['params'] =>
  Object.fromEntries(
    Object.entries(found).map(([name, value]) => [
      name,
      pattern.includes(`**:${name}`) ? value.split('/') : value,
    ]),
  )

/** Reads every `route.ts` below `appDir`: the same files that Next serves, and the only route table there is. */
export const readRouteTable = async (appDir: string): Promise<RouteTable> => {
  const router = createRouter<{ pattern: string; module: RouteModule }>()
  for (const file of globSync('**/route.ts', { cwd: appDir })) {
    const module: RouteModule = await import(pathToFileURL(join(appDir, file)).href)
    for (const pattern of patternsOf(file)) addRoute(router, '', pattern, { pattern, module })
  }
  return (method, path) => {
    const found = findRoute(router, '', path)
    if (!found) return undefined
    const { pattern, module } = found.data
    const handler = module[(method === 'HEAD' ? 'GET' : method) as Method]
    return handler && { handler, params: paramsOf(pattern, found.params) }
  }
}
