import { hash } from 'node:crypto'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import type { ContentEncoding } from '../accept-encoding.ts'

/** One file as it can be sent: its path below the build's folder, and the tag of its bytes. */
export type FileVariant = Readonly<{ file: string; etag: string }>

export type BuiltFile = Readonly<{
  plain: FileVariant
  encoded: ReadonlyMap<ContentEncoding, FileVariant>
  type: string | undefined
  cacheControl: string
}>

/** Files of the build by the path of their URL. */
export type BuiltFiles = ReadonlyMap<string, BuiltFile>

const SUFFIXES = [
  ['br', '.br'],
  ['gzip', '.gz'],
] as const
const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.woff2': 'font/woff2',
}
/** Their names hold a hash of their content. */
const IMMUTABLE = 'public, max-age=31536000, immutable'
const REVALIDATED = 'public, max-age=0, must-revalidate'

const variantOf = (build: string, file: string): FileVariant => ({
  file,
  etag: `"${hash('sha256', readFileSync(join(build, file)), 'base64url').slice(0, 22)}"`,
})

const encodedOf = (build: string, file: string): BuiltFile['encoded'] =>
  new Map(
    SUFFIXES.flatMap(([encoding, suffix]) =>
      existsSync(join(build, file + suffix)) ? ([[encoding, variantOf(build, file + suffix)]] as const) : [],
    ),
  )

const chunkOf = (build: string, file: string): BuiltFile => ({
  plain: variantOf(build, file),
  encoded: encodedOf(build, file),
  type: TYPES[extname(file)],
  cacheControl: IMMUTABLE,
})

type Meta = Readonly<{ status?: number; headers?: Readonly<Record<string, string>> }>

/** What Next rendered at build time of icons, robots.txt and the manifest: a `.body` with its headers in a `.meta`. */
const metadataFileOf = (build: string, file: string): BuiltFile | undefined => {
  const { status, headers }: Meta = JSON.parse(
    readFileSync(join(build, file.replace(/body$/, 'meta')), 'utf8'),
  )
  if (status !== 200) return undefined
  return {
    plain: variantOf(build, file),
    encoded: new Map(),
    type: headers?.['content-type'],
    cacheControl: headers?.['cache-control'] ?? REVALIDATED,
  }
}

/**
 * Reads which files a build of the web pages has: its scripts, styles and fonts, and its icons and other metadata
 * files. None where there is no build.
 *
 * @param build Next's folder, `.next`
 */
export const readBuiltFiles = (build: string): BuiltFiles => {
  const found = new Map<string, BuiltFile>()
  for (const file of globSync('static/**/*.*', { cwd: build }))
    if (!/\.(?:br|gz|map)$/.test(file)) found.set(`/_next/${file}`, chunkOf(build, file))
  for (const name of globSync('*.body', { cwd: join(build, 'server/app') })) {
    const file = metadataFileOf(build, join('server/app', name))
    if (file) found.set(`/${name.slice(0, -'.body'.length)}`, file)
  }
  return found
}
