import { plural, wait } from '../../format.ts'
import type { Sending } from './intake.ts'

/** The text of the page's `role=status` about sending files. */
export function intakeAnnouncement(sending: Sending): string {
  switch (sending.state) {
    case 'not-yet':
      return ''
    case 'under-way':
      return 'Uploading files…'
    // Announced as an alert at the drop zone.
    case 'failed':
      return ''
    case 'held':
      return heldWords(sending.hold.failure)
    case 'taken':
      return `“${sending.name}” is queued with ${plural(sending.items, 'item')}.`
  }
}

function heldWords({ message, retryAfterSeconds }: { message: string; retryAfterSeconds?: number }): string {
  const until = retryAfterSeconds ? ` You can send again in ${wait(retryAfterSeconds)}.` : ''
  return `${message}${until} Your draft is kept.`
}
