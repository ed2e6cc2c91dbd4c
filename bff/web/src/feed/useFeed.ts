import { useCallback, useEffect, useMemo, useReducer } from 'react'
import { type CombinedError, useClient } from 'urql'
import { pipe, subscribe } from 'wonka'
import { type FragmentType, unmask } from '../gql'
import { useSession } from '../session/session'
import { FeedDocument, type FeedQuery, SlideFragmentDoc, type SlideFragment } from '../gql/graphql'

const perPage = 8

interface Page {
  after: string | null
  data?: FeedQuery | undefined
  error?: CombinedError | undefined
}

interface State {
  round: number // counts how often the feed was started over
  pages: Page[]
}

type Change = { over: true } | { more: string } | { round: number; page: Page }

function change(state: State, by: Change): State {
  if ('over' in by) return { round: state.round + 1, pages: [{ after: null, data: state.pages[0]?.data }] }
  if ('more' in by) {
    const known = state.pages.some((page) => page.after === by.more)
    return known ? state : { ...state, pages: [...state.pages, { after: by.more }] }
  }
  if (by.round !== state.round) return state
  const pages = state.pages.map((page) =>
    page.after === by.page.after ? { ...by.page, data: by.page.data ?? page.data } : page)
  return { ...state, pages }
}

// useFeed returns the videos of the feed, from the newest. Each page is asked for by the cursor of the one before, which
// is a place in time: what is published meanwhile moves nothing. A page stays where it is when it comes anew, so that
// signing in does not lose the place.
export function useFeed() {
  const client = useClient()
  const { signedIn } = useSession()
  const [state, dispatch] = useReducer(change, { round: 0, pages: [{ after: null }] })
  const { round } = state
  const cursors = state.pages.map((page) => page.after ?? '').join('\n')

  useEffect(() => {
    const ends = cursors.split('\n').map((cursor) => {
      const after = cursor || null
      const requestPolicy = round > 0 && !after ? 'cache-and-network' : 'cache-first'
      const subscription = pipe(
        client.query(FeedDocument, { first: perPage, after, signedIn }, { requestPolicy }),
        subscribe(({ data, error }) => dispatch({ round, page: { after, data, error } })),
      )
      return () => subscription.unsubscribe()
    })
    return () => {
      for (const end of ends) end()
    }
  }, [client, signedIn, cursors, round])

  const videos = useMemo(() => {
    const seen = new Map<string, SlideFragment>()
    for (const page of state.pages) {
      const nodes: readonly FragmentType<typeof SlideFragmentDoc>[] = page.data?.feed.nodes ?? []
      for (const video of unmask(SlideFragmentDoc, nodes)) if (!seen.has(video.id)) seen.set(video.id, video)
    }
    return [...seen.values()]
  }, [state.pages])

  const last = state.pages.at(-1)
  const info = last?.data?.feed.pageInfo
  const more = useCallback(() => {
    if (info?.hasNextPage && info.endCursor) dispatch({ more: info.endCursor })
  }, [info])
  const over = useCallback(() => dispatch({ over: true }), [])
  const again = useCallback(() => {
    for (const { after } of state.pages.filter((page) => page.error)) {
      void client.query(FeedDocument, { first: perPage, after, signedIn }, { requestPolicy: 'network-only' }).toPromise()
        .then(({ data, error }) => dispatch({ round, page: { after, data, error } }))
    }
  }, [client, signedIn, round, state.pages])
  return { videos, loading: !last?.data && !last?.error, error: last?.error, atEnd: info?.hasNextPage === false, more, over, again }
}
