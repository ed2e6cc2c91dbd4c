import { useCallback, useEffect, useMemo, useReducer } from 'react'
import { useClient } from 'urql'
import { pipe, subscribe } from 'wonka'
import { type FragmentType, unmask } from '../gql'
import { useSession } from '../session/session'
import { FeedDocument, SlideFragmentDoc, type SlideFragment } from '../gql/graphql'
import { change, type State } from './pages'

const perPage = 8

// Where one is in the feed is kept with the entry of the history, for as long as the page lives: going back leads there.
interface Place {
  life: number
  watched: string // id of a video
  cursors: (string | null)[]
}

// placeOf returns where one was when the present entry of the history was left.
export function placeOf(): Place | undefined {
  const { feed } = (history.state ?? {}) as { feed?: Place }
  return feed?.life === performance.timeOrigin ? feed : undefined
}

function start(): State {
  const cursors = placeOf()?.cursors ?? [null]
  return { round: 0, pages: cursors.map((after) => ({ after })) }
}

// useFeed returns the videos of the feed, from the newest. Each page is asked for by the cursor of the one before, which
// is a place in time: what is published meanwhile moves nothing. A page stays where it is when it comes anew, so that
// signing in does not lose the place.
export function useFeed() {
  const client = useClient()
  const { signedIn } = useSession()
  const [state, dispatch] = useReducer(change, undefined, start)
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
  const keep = useCallback((watched: string) => {
    const feed: Place = { life: performance.timeOrigin, watched, cursors: cursors.split('\n').map((cursor) => cursor || null) }
    history.replaceState({ ...(history.state as object | null), feed }, '')
  }, [cursors])
  return { videos, error: last?.error, atEnd: info?.hasNextPage === false, more, over, again, keep }
}
