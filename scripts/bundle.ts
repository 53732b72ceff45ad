import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { build, type Plugin } from 'rolldown'
import { ROOT, say } from './step.ts'

/** Where the bundle is: its programs are `server.js` and `worker.js`. */
export const BUNDLE = join(ROOT, 'dist')

/** Left in `node_modules`, since only some settings need them: web pages, reports to Sentry, a log for people. */
const EXTERNAL = ['next', '@sentry/nextjs', 'pino-pretty']

/** The programs and the routes, each at its source's path. */
const entries = (): Record<string, string> => {
  const files = globSync(['server.ts', 'worker.ts', 'app/**/route.ts'], { cwd: ROOT })
  return Object.fromEntries(files.map(file => [file.replace(/\.ts$/, ''), join(ROOT, file)]))
}

/**
 * Bundles the program of each worker thread at its source's path, where the module that starts it looks for it by its own
 * URL (lib/thread-program.ts): that URL becomes the program's, wherever the bundler puts the module.
 */
const threadPrograms: Plugin = {
  name: 'thread-programs',
  transform: {
    filter: { id: /\.ts$/, code: 'threadProgram(import.meta.url)' },
    handler(code, id) {
      const program = join(dirname(id), 'thread.ts')
      const fileName = relative(ROOT, program).replace(/\.ts$/, '.js')
      const reference = this.emitFile({ type: 'chunk', id: program, fileName })
      return code.replace('import.meta.url', `import.meta.ROLLUP_FILE_URL_${reference}`)
    },
  },
}

type BundleFile = Readonly<{ fileName: string; content: string | Uint8Array }>

const bundleFiles = async (): Promise<readonly BundleFile[]> => {
  const { output } = await build({
    input: entries(),
    external: EXTERNAL,
    platform: 'node',
    plugins: [threadPrograms],
    // Nothing is left out: it and the default of `minify` remove calls that are made for what they throw.
    treeshake: false,
    // Packages in CommonJS, whose names for these an ES module does not have.
    transform: { define: { __dirname: 'import.meta.dirname', __filename: 'import.meta.filename' } },
    write: false,
    logLevel: 'warn',
    output: {
      format: 'esm',
      minify: false,
      entryFileNames: '[name].js',
      chunkFileNames: 'chunks/[name]-[hash].js',
      // The folders of routes with parameters are named in brackets.
      sanitizeFileName: false,
    },
  })
  return output.map(file => ({
    fileName: file.fileName,
    content: file.type === 'chunk' ? file.code : file.source,
  }))
}

/** Replaces a file as a whole, so that a process that starts meanwhile reads the old one or the new one. */
const writeFile = ({ fileName, content }: BundleFile): void => {
  const path = join(BUNDLE, fileName)
  mkdirSync(dirname(path), { recursive: true })
  const written = `${path}.${process.pid}`
  writeFileSync(written, content)
  renameSync(written, path)
}

const isWritten = ({ fileName, content }: BundleFile): boolean => {
  const path = join(BUNDLE, fileName)
  return existsSync(path) && readFileSync(path).equals(Buffer.from(content))
}

/** Bundles the native server, the worker and the programs of their threads. @returns whether anything has changed */
export const bundle = async (): Promise<boolean> => {
  const files = await bundleFiles()
  const names = new Set(files.map(({ fileName }) => fileName))
  const outdated = globSync('**/*.js', { cwd: BUNDLE }).filter(name => !names.has(name))
  const changed = files.filter(file => !isWritten(file))
  changed.forEach(writeFile)
  for (const name of outdated) rmSync(join(BUNDLE, name), { force: true })
  return changed.length + outdated.length > 0
}

if (import.meta.main) {
  await bundle()
  say(`Bundled: node ${relative(process.cwd(), join(BUNDLE, 'server.js'))}`)
}
