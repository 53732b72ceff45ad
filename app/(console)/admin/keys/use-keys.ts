import { useCallback, useEffect, useState } from 'react'
import type { Failure } from '../../gateway/wire.ts'
import { useAdminApi } from '../admin-api.ts'
import type { ApiKey, KeysPage } from '../wire.ts'

/** Few, since the budgets of each page are requested too. */
const PAGE = 10

type List = { keys: readonly ApiKey[]; nextCursor: string | null }

/** All keys, newest first, as far as they were asked for. */
export function useKeys() {
  const { call } = useAdminApi()
  const [list, setList] = useState<List>()
  const [failure, setFailure] = useState<Failure>()

  const load = useCallback(
    async (cursor: string | null) => {
      const query = new URLSearchParams({ limit: `${PAGE}`, ...(cursor && { cursor }) })
      const { value, failure: failed } = await call<KeysPage>(`/api/admin/keys?${query}`)
      setFailure(failed)
      if (value) setList(shown => withPage(cursor === null ? undefined : shown, value))
    },
    [call],
  )
  useEffect(() => void load(null), [load])

  const put = useCallback(
    (key: ApiKey) => setList(shown => shown && { ...shown, keys: withKey(shown.keys, key) }),
    [],
  )

  return { ...list, failure, load, put }
}

export type Keys = ReturnType<typeof useKeys>

function withPage(shown: List | undefined, { keys, nextCursor }: KeysPage): List {
  const known = new Set(shown?.keys.map(({ id }) => id))
  return { keys: [...(shown?.keys ?? []), ...keys.filter(({ id }) => !known.has(id))], nextCursor }
}

/** The list with a key in place of its earlier version, or as the newest. */
export function withKey(keys: readonly ApiKey[], key: ApiKey): readonly ApiKey[] {
  return keys.some(({ id }) => id === key.id)
    ? keys.map(one => (one.id === key.id ? key : one))
    : [key, ...keys]
}
