import { CopyButton } from '../../copy-button.tsx'
import { ScrollingText } from '../../scrolling-text.tsx'
import type { Exchange } from './exchange.ts'

const STATES = {
  receiving: 'receiving…',
  done: 'complete',
  stopped: 'stopped',
  broken: 'connection lost',
} as const

/** The status, headers and body of an answer. */
export function ExchangeView({ exchange }: { exchange: Exchange }) {
  return (
    <div className="mt-4">
      <p aria-live="polite" className="font-medium" data-exchange={exchange.state}>
        {headlineOf(exchange)}
      </p>
      {'body' in exchange && (
        <>
          <details className="fold mt-2">
            <summary>{exchange.headers.length} response headers</summary>
            <ScrollingText>
              {exchange.headers.map(([name, value]) => `${name}: ${value}`).join('\n')}
            </ScrollingText>
          </details>
          <figure className="snippet">
            <figcaption>
              <span>Response body</span>
              <CopyButton label="Copy response" text={() => exchange.body} />
            </figcaption>
            <ScrollingText className="max-h-96">{exchange.body}</ScrollingText>
          </figure>
        </>
      )}
    </div>
  )
}

function headlineOf(exchange: Exchange): string {
  if (exchange.state === 'none') return ''
  if (exchange.state === 'waiting') return 'Waiting for a response…'
  if (exchange.state === 'failed') return exchange.reason
  const { status, statusText, state, tookMs } = exchange
  // The time only at the end: a screen reader would read out each change of it.
  const time = state === 'receiving' ? '' : `, ${tookMs.toLocaleString('en')} ms`
  return `${status} ${statusText}, ${STATES[state]}${time}`
}
