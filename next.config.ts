import type { NextConfig } from 'next'

const config: NextConfig = {
  poweredByHeader: false,
  reactStrictMode: true,
  // No page has an image to optimise; its endpoint would fetch and decode images for any client.
  images: { unoptimized: true },
  // `npm test` checks types; a start does not wait for that.
  typescript: { ignoreBuildErrors: true },
  // Node resolves these itself at run time; bundling them breaks their worker and CommonJS parts.
  serverExternalPackages: ['pino', 'pino-pretty', 'undici', 'openai', '@sentry/nextjs', 'prom-client'],
}

export default config
