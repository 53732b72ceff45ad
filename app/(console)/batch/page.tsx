import { BatchPage } from './batch-page.tsx'

export default function Page() {
  return <BatchPage />
}
