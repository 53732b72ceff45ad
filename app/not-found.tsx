import type { Metadata } from 'next'

export const metadata: Metadata = { title: 'Not found · Parley' }

export default function NotFound() {
  return (
    <main id="main" tabIndex={-1} className="column flex min-h-dvh flex-col justify-center">
      <p className="text-muted">404</p>
      <h1 className="mt-2 font-serif text-3xl tracking-tight text-balance">Page not found</h1>
      <p className="mt-6">
        {/* A plain link, for a full page load. */}
        <a className="link" href="/">
          Go to the chat
        </a>
      </p>
    </main>
  )
}
