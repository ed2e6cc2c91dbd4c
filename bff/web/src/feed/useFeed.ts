import { useCallback, useEffect, useMemo, useReducer } from 'react'
import { useClient } from 'urql'
import { pipe, subscribe } from 'wonka'
import { type FragmentType, unmask } from '../gql'
import { FeedDocument, SlideFragmentDoc, type SlideFragment } from '../gql/graphql'
import { useSession } from '../session/session'
import { reduce, type State } from './pages'

const pageSize = 8

// Position is the place in the feed. It is stored in the history entry, so that going back restores it. It is valid
// until the page is loaded again.
interface Position {
  loadedAt: number // performance.timeOrigin of the page
  watched: string // id of a video
  cursors: (string | null)[]
}

// savedPosition returns the position that was saved in the current history entry.
export function savedPosition(): Position | undefined {
  const { feed } = (history.state ?? {}) as { feed?: Position }
  return feed?.loadedAt === performance.timeOrigin ? feed : undefined
}

function initialState(): State {
  const cursors = savedPosition()?.cursors ?? [null]
  return { generation: 0, pages: cursors.map((after) => ({ after })) }
}

// useFeed returns the videos of the feed, newest first. Each page starts at the end cursor of the previous one. A cursor
// is a point in time, so new videos do not shift the pages. A reloaded page keeps its place, so signing in does not move
// the feed.
export function useFeed() {
  const client = useClient()
  const { signedIn } = useSession()
  const [state, dispatch] = useReducer(reduce, undefined, initialState)
  const { generation } = state
  const cursors = state.pages.map((page) => page.after ?? '').join('\n')

  useEffect(() => {
    const subscriptions = cursors.split('\n').map((cursor) => {
      const after = cursor || null
      const requestPolicy = generation > 0 && !after ? 'cache-and-network' : 'cache-first'
      return pipe(
        client.query(FeedDocument, { first: pageSize, after, signedIn }, { requestPolicy }),
        subscribe(({ data, error }) => dispatch({ type: 'result', generation, page: { after, data, error } })),
      )
    })
    return () => {
      for (const subscription of subscriptions) subscription.unsubscribe()
    }
  }, [client, signedIn, cursors, generation])

  const videos = useMemo(() => {
    const byId = new Map<string, SlideFragment>()
    for (const page of state.pages) {
      const nodes: readonly FragmentType<typeof SlideFragmentDoc>[] = page.data?.feed.nodes ?? []
      for (const video of unmask(SlideFragmentDoc, nodes)) if (!byId.has(video.id)) byId.set(video.id, video)
    }
    return [...byId.values()]
  }, [state.pages])

  const last = state.pages.at(-1)
  const pageInfo = last?.data?.feed.pageInfo
  const loadMore = useCallback(() => {
    if (pageInfo?.hasNextPage && pageInfo.endCursor) dispatch({ type: 'load', after: pageInfo.endCursor })
  }, [pageInfo])
  const restart = useCallback(() => dispatch({ type: 'restart' }), [])
  const retry = useCallback(() => {
    for (const { after } of state.pages.filter((page) => page.error)) {
      void client.query(FeedDocument, { first: pageSize, after, signedIn }, { requestPolicy: 'network-only' }).toPromise()
        .then(({ data, error }) => dispatch({ type: 'result', generation, page: { after, data, error } }))
    }
  }, [client, signedIn, generation, state.pages])
  const savePosition = useCallback((watched: string) => {
    const feed: Position = { loadedAt: performance.timeOrigin, watched, cursors: cursors.split('\n').map((cursor) => cursor || null) }
    history.replaceState({ ...(history.state as object | null), feed }, '')
  }, [cursors])
  return { videos, error: last?.error, atEnd: pageInfo?.hasNextPage === false, loadMore, restart, retry, savePosition }
}
