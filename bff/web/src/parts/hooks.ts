import { useCallback, useEffect, useState, useSyncExternalStore } from 'react'
import { type AnyVariables, type Client, type TypedDocumentNode, useClient, useQuery } from 'urql'
import { reachability } from '../graph/socket'

// useMedia tells whether a media query holds.
export function useMedia(query: string) {
  return useSyncExternalStore(
    (listener) => {
      const list = window.matchMedia(query)
      list.addEventListener('change', listener)
      return () => list.removeEventListener('change', listener)
    },
    () => window.matchMedia(query).matches,
  )
}

// useDesktop tells whether there is room for things side by side.
export const useDesktop = () => useMedia('(min-width: 900px)')

// useCutOff tells whether the server is known to be out of reach.
export const useCutOff = () => useSyncExternalStore((listener) => reachability.subscribe(listener), () => reachability.isCutOff())

// useReconnect calls again when the server can be reached after it could not.
export function useReconnect(again: () => void) {
  useEffect(() => {
    let was = reachability.isCutOff()
    return reachability.subscribe(() => {
      const is = reachability.isCutOff()
      if (was && !is) again()
      was = is
    })
  }, [again])
}

interface Page<Node> {
  nodes: Node[]
  pageInfo: { hasNextPage: boolean; endCursor?: string | null }
}

// usePage returns the cursor of the page that a list has come to, and how to go on. With another session, whose client
// knows none of the pages, a list starts over.
export function usePage(): [string | null, (cursor: string | null) => void] {
  const client = useClient()
  const [page, setPage] = useState<{ client: Client; cursor: string | null }>({ client, cursor: null })
  return [page.client === client ? page.cursor : null, useCallback((cursor) => setPage({ client, cursor }), [client])]
}

// useList asks for a list page by page. The cache joins the pages, so each answer holds all that is known so far.
export function useList<Data, Variables extends AnyVariables, Node>(
  query: TypedDocumentNode<Data, Variables>,
  variables: Omit<Variables, 'after'>,
  pageOf: (data: Data) => Page<Node> | null | undefined,
  options: { pause?: boolean } = {},
) {
  const [after, setAfter] = usePage()
  const [result, execute] = useQuery({
    query,
    variables: { ...variables, after } as unknown as Variables,
    requestPolicy: after ? 'cache-first' : 'cache-and-network',
    pause: options.pause ?? false,
  })
  const page = result.data ? pageOf(result.data) : undefined
  const again = () => {
    setAfter(null)
    execute({ requestPolicy: 'network-only' })
  }
  return {
    data: result.data,
    nodes: page?.nodes,
    error: result.error,
    fetching: result.fetching || result.stale,
    hasMore: page?.pageInfo.hasNextPage ?? false,
    more: () => {
      if (!result.fetching && page?.pageInfo.hasNextPage && page.pageInfo.endCursor) setAfter(page.pageInfo.endCursor)
    },
    again,
  }
}

// textOf returns a field of a form, without the space around it.
export function textOf(form: FormData, name: string) {
  const value = form.get(name)
  return typeof value === 'string' ? value.trim() : ''
}

// lengthOf counts characters as the server does, an emoji as one.
export const lengthOf = (text: string) => Array.from(text.trim()).length
