import './admin.css'
import { AdminPage } from './admin-page.tsx'

export default function Page() {
  return <AdminPage />
}
