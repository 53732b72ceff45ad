import { join } from 'node:path'
import type { NextConfig } from 'next'
import { precompress } from './lib/native/precompress.ts'

const config: NextConfig = {
  poweredByHeader: false,
  reactStrictMode: true,
  // No page has an image to optimise; its endpoint would fetch and decode images for any client.
  images: { unoptimized: true },
  // `npm test` checks types; a start does not wait for that.
  typescript: { ignoreBuildErrors: true },
  // Node resolves these itself at run time; bundling them breaks their worker and CommonJS parts.
  serverExternalPackages: [
    'compression',
    'negotiator',
    'openai',
    'pino',
    'pino-pretty',
    'prom-client',
    'send',
    '@sentry/nextjs',
    'undici',
  ],
  // lib/http compresses: event streams never, and files of the build before it runs.
  compress: false,
  compiler: { runAfterProductionCompile: ({ distDir }) => precompress(join(distDir, 'static')) },
}

export default config
