import type { CombinedError } from 'urql'
import type { FeedQuery } from '../gql/graphql'

// The feed as the pages of it that are known, from the newest.

export interface Page {
  after: string | null
  data?: FeedQuery | undefined
  error?: CombinedError | undefined
}

export interface State {
  round: number // counts how often the feed was started over
  pages: Page[]
}

type Change = { over: true } | { more: string } | { round: number; page: Page }

// change is the next state of the feed.
export function change(state: State, by: Change): State {
  if ('over' in by) return { round: state.round + 1, pages: [{ after: null, data: state.pages[0]?.data }] }
  if ('more' in by) {
    const known = state.pages.some((page) => page.after === by.more)
    return known ? state : { ...state, pages: [...state.pages, { after: by.more }] }
  }
  if (by.round !== state.round) return state
  const pages = state.pages.map((page) =>
    page.after === by.page.after ? { ...by.page, data: by.page.data ?? page.data } : page)
  return { ...state, pages: linked(pages) }
}

// linked puts a page between two that do not meet: the first of them has come anew with later videos.
function linked(pages: Page[]) {
  const gap = pages.findIndex(({ data }, i) => {
    const behind = pages[i + 1]
    const end = data?.feed.pageInfo.endCursor
    if (!end || !behind?.data || behind.after === end) return false
    const there = new Set(behind.data.feed.nodes.map(({ id }) => id))
    return !data.feed.nodes.some(({ id }) => there.has(id))
  })
  const after = pages[gap]?.data?.feed.pageInfo.endCursor
  return after ? pages.toSpliced(gap + 1, 0, { after }) : pages
}
