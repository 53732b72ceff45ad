import type { Metadata, Viewport } from 'next'
import { headers } from 'next/headers'
import type { ReactNode } from 'react'
import { mono, sans, serif, serifItalic } from './fonts.ts'
import './globals.css'
import { HEAD_SCRIPT } from './head-script.ts'

export const metadata: Metadata = {
  description: 'Talk with any model through one dependable gateway.',
}

export const viewport: Viewport = {
  colorScheme: 'light dark',
  interactiveWidget: 'resizes-content',
}

const fonts = [sans, serif, serifItalic, mono].map(font => font.variable).join(' ')

/** Reading the request makes every page render per request, which its nonce requires. */
export default async function RootLayout({ children }: { children: ReactNode }) {
  const nonce = (await headers()).get('x-nonce') ?? undefined
  const sentryDsn = process.env.SENTRY_DSN
  return (
    <html lang="en" className={fonts} suppressHydrationWarning>
      <head>
        {/* biome-ignore lint/security/noDangerouslySetInnerHtml: a constant of ours, under this request's nonce */}
        <script nonce={nonce} suppressHydrationWarning dangerouslySetInnerHTML={{ __html: HEAD_SCRIPT }} />
        {sentryDsn && <meta name="sentry-dsn" content={sentryDsn} />}
      </head>
      <body>{children}</body>
    </html>
  )
}
