import { useCallback, useState } from 'react'
import { type AnyVariables, type Client, type TypedDocumentNode, useClient, useQuery } from 'urql'

interface Connection<Node> {
  nodes: Node[]
  pageInfo: { hasNextPage: boolean; endCursor?: string | null }
}

// usePage returns the cursor of the last page that was requested, and a function that sets it. The cursor is null again
// after the session changes, because the new client has an empty cache.
export function usePage(): [string | null, (cursor: string | null) => void] {
  const client = useClient()
  const [page, setPage] = useState<{ client: Client; cursor: string | null }>({ client, cursor: null })
  return [page.client === client ? page.cursor : null, useCallback((cursor) => setPage({ client, cursor }), [client])]
}

// useList loads a list page by page. The cache joins the pages, so each result has all nodes loaded so far.
export function useList<Data, Variables extends AnyVariables, Node>(
  query: TypedDocumentNode<Data, Variables>,
  variables: Omit<Variables, 'after'>,
  connectionOf: (data: Data) => Connection<Node> | null | undefined,
) {
  const [after, setAfter] = usePage()
  const [result, execute] = useQuery({
    query,
    variables: { ...variables, after } as unknown as Variables,
    requestPolicy: after ? 'cache-first' : 'cache-and-network',
  })
  const connection = result.data ? connectionOf(result.data) : undefined
  return {
    nodes: connection?.nodes,
    error: result.error,
    fetching: result.fetching || result.stale,
    hasMore: connection?.pageInfo.hasNextPage ?? false,
    loadMore: () => {
      if (!result.fetching && connection?.pageInfo.hasNextPage && connection.pageInfo.endCursor) setAfter(connection.pageInfo.endCursor)
    },
    reload: () => {
      setAfter(null)
      execute({ requestPolicy: 'network-only' })
    },
  }
}
