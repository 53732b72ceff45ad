import './evaluations.css'
import { EvaluationsPage } from './evaluations-page.tsx'

export default function Page() {
  return <EvaluationsPage />
}
