import type { Model } from '../../gateway/wire.ts'

/** The actions of a turn; those that are absent are not offered. */
export type TurnActions = {
  /** Asks again, of the chosen model or of the given one. */
  onRetry?: (model?: string) => void
  /** Asks for the rest of an answer that was cut. */
  onContinue?: () => void
  /** Puts a question without an answer back into the composer. */
  onTakeBack?: () => void
  /** The models that another try can choose from. */
  models?: Model[]
}
