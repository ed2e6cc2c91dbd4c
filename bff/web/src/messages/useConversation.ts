import { useCallback, useMemo } from 'react'
import { useClient, useQuery } from 'urql'
import { unmask } from '../gql'
import { ConversationDocument, LineFragmentDoc } from '../gql/graphql'
import { useReconnect } from '../graph/connection'
import { usePage } from '../graph/list'

const pageSize = 30

// useConversation loads the messages with a peer, oldest first.
export function useConversation(peer: string) {
  const client = useClient()
  const [before, setBefore] = usePage()
  const [{ data, error, fetching }, execute] = useQuery({
    query: ConversationDocument,
    variables: { with: peer, last: pageSize, before },
    requestPolicy: before ? 'cache-first' : 'cache-and-network',
  })
  const nodes = data?.conversation.nodes
  const messages = useMemo(() => unmask(LineFragmentDoc, nodes ?? []), [nodes])
  const pageInfo = data?.conversation.pageInfo

  // reload loads the latest page and returns its messages, or undefined after an error.
  const reload = useCallback(async () => {
    setBefore(null)
    const { data, error } = await client.query(ConversationDocument, { with: peer, last: pageSize, before: null }, { requestPolicy: 'network-only' }).toPromise()
    return error || !data ? undefined : unmask(LineFragmentDoc, data.conversation.nodes)
  }, [client, peer, setBefore])
  useReconnect(useCallback(() => void reload(), [reload]))

  return {
    loaded: data !== undefined,
    messages,
    error,
    cursor: pageInfo?.hasPreviousPage ? pageInfo.startCursor : null, // of the page with earlier messages
    loadEarlier: () => {
      if (!fetching && pageInfo?.startCursor) setBefore(pageInfo.startCursor)
    },
    reload,
    retry: () => execute({ requestPolicy: 'network-only' }),
  }
}
