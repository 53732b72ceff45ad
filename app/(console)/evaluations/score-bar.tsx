import type { Interval } from './wire.ts'

const WIDTH = 100
const HEIGHT = 10

type Props = { score: Interval; threshold: number | null }

/** A score as a bar, with its confidence interval, and where it has to reach. The figures stand beside it. */
export function ScoreBar({ score: { value, low, high }, threshold }: Props) {
  return (
    <svg
      aria-hidden="true"
      className="score-chart"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
    >
      <rect className="track" width={WIDTH} height={HEIGHT} rx={1} />
      <rect className="score" width={WIDTH * value} height={HEIGHT} rx={1} />
      <line className="interval" x1={WIDTH * low} x2={WIDTH * high} y1={HEIGHT / 2} y2={HEIGHT / 2} />
      {threshold !== null && (
        <line className="threshold" x1={WIDTH * threshold} x2={WIDTH * threshold} y1={0} y2={HEIGHT} />
      )}
    </svg>
  )
}
