import { Console } from './console.tsx'

export default function Page() {
  return <Console />
}
