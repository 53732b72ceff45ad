import type { Metadata, Viewport } from 'next'
import { headers } from 'next/headers'
import type { ReactNode } from 'react'
import { mono, sans, serif, serifItalic } from './fonts.ts'
import './globals.css'
import { HEAD_SCRIPT } from './head-script/head-script.ts'
import { Hydrated } from './hydrated.tsx'
import { PAPER } from './theme.ts'

export const metadata: Metadata = {
  applicationName: 'Parley',
  description: 'Chat with any model through one gateway.',
  robots: { index: false, follow: false },
  formatDetection: { telephone: false, date: false, address: false, email: false },
}

export const viewport: Viewport = {
  colorScheme: 'light dark',
  interactiveWidget: 'resizes-content',
  themeColor: [
    { media: '(prefers-color-scheme: light)', color: PAPER.light },
    { media: '(prefers-color-scheme: dark)', color: PAPER.dark },
  ],
}

const fonts = [sans, serif, serifItalic, mono].map(font => font.variable).join(' ')

/** Reading the request makes every page render per request, which its nonce requires. */
export default async function RootLayout({ children }: { children: ReactNode }) {
  const nonce = (await headers()).get('x-nonce') ?? undefined
  const sentryDsn = process.env.SENTRY_DSN
  return (
    <html lang="en" className={fonts} suppressHydrationWarning>
      <head>
        <script nonce={nonce} suppressHydrationWarning>
          {HEAD_SCRIPT}
        </script>
        {sentryDsn && <meta name="sentry-dsn" content={sentryDsn} />}
      </head>
      <body>
        <a className="skip-link" href="#main">
          Skip to content
        </a>
        <noscript>
          <p className="notice m-4">Parley needs JavaScript. Turn it on and reload this page.</p>
        </noscript>
        {children}
        <Hydrated />
      </body>
    </html>
  )
}
